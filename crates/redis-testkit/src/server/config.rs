//! What a server is to have, and how it is written down for it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The user of the control connection, where a server has users.
pub(super) const CONTROL_USER: &str = "testkit-control";

/// What a server keeps through a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nothing: it comes back empty.
    #[default]
    Memory,
    /// What its append-only file holds, which is handed to the system about once a second.
    EverySecond,
    /// Everything that it has acknowledged.
    Always,
}

/// Whether a server with TLS asks its clients for certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// It refuses clients without one.
    Required,
    /// It asks for none.
    Ignored,
}

/// What kind of server a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// It stores data.
    #[default]
    Store,
    /// It watches a master.
    Sentinel,
}

/// Files of certificates.
#[derive(Debug, Clone)]
pub(super) struct TlsFiles {
    pub(super) authority: PathBuf,
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) clients: ClientCertificates,
}

#[derive(Clone)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) rules: String,
}

/// Everything that a builder collects.
#[derive(Clone, Default)]
pub(super) struct Options {
    pub(super) kind: Kind,
    pub(super) durability: Durability,
    pub(super) password: Option<String>,
    pub(super) users: Vec<User>,
    pub(super) tls: Option<TlsFiles>,
    /// Directives as they stand in a server's file of settings, with their values quoted.
    pub(super) directives: Vec<(String, String)>,
}

impl Options {
    /// Refuses what cannot be written down.
    pub(super) fn check(&self) -> Result<(), Error> {
        let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        let refuse = |option, reason| Err(Error::Option { option, reason });
        for user in &self.users {
            if !is_word(&user.name) || !is_word(&user.password) {
                return refuse("user", "needs a name and a password without white space");
            }
            if user.rules.contains(['\r', '\n']) {
                return refuse("user", "needs rules that stand on one line");
            }
        }
        if self
            .directives
            .iter()
            .any(|(name, values)| !is_word(name) || values.contains(['\r', '\n']))
        {
            return refuse("directive", "needs a name, and values that stand on one line");
        }
        Ok(())
    }

    /// The server's file of settings.
    pub(super) fn render(&self, port: u16, socket: &Path, folder: &Path) -> String {
        let mut text = String::new();
        let mut line = |name: &str, values: &str| {
            writeln!(text, "{name} {values}").expect("writing into a string does not fail");
        };
        let path = |path: &Path| quoted(&path.to_string_lossy());
        line("bind", "127.0.0.1");
        line("unixsocket", &path(socket));
        line("unixsocketperm", "700");
        line("dir", &path(folder));
        match &self.tls {
            None => line("port", &port.to_string()),
            Some(tls) => {
                line("port", "0");
                line("tls-port", &port.to_string());
                line("tls-cert-file", &path(&tls.certificate));
                line("tls-key-file", &path(&tls.key));
                line("tls-ca-cert-file", &path(&tls.authority));
                line(
                    "tls-auth-clients",
                    match tls.clients {
                        ClientCertificates::Required => "yes",
                        ClientCertificates::Ignored => "no",
                    },
                );
                line("tls-replication", "yes");
            }
        }
        if self.kind == Kind::Store {
            line("save", "\"\"");
            // A replica that joins a test need not wait for others.
            line("repl-diskless-sync-delay", "0");
            line("enable-debug-command", "local");
            if let Some(fsync) = match self.durability {
                Durability::Memory => None,
                Durability::EverySecond => Some("everysec"),
                Durability::Always => Some("always"),
            } {
                line("appendonly", "yes");
                line("appendfsync", fsync);
            }
        }
        if let Some(password) = &self.password {
            line("masterauth", &quoted(password));
            if self.users.is_empty() {
                line("requirepass", &quoted(password));
            }
        }
        if !self.users.is_empty() {
            line("aclfile", &path(&folder.join("users.acl")));
        }
        for (name, values) in &self.directives {
            line(name, values);
        }
        text
    }

    /// The file of users, where there are any.
    pub(super) fn render_users(&self, control_password: &str) -> Option<String> {
        if self.users.is_empty() {
            return None;
        }
        let default = match &self.password {
            Some(password) => format!("on >{password} ~* &* +@all"),
            None => "off".to_owned(),
        };
        let mut text = format!(
            "user default {default}\nuser {CONTROL_USER} on >{control_password} ~* &* +@all\n"
        );
        for User { name, password, rules } in &self.users {
            writeln!(text, "user {name} on >{password} {rules}")
                .expect("writing into a string does not fail");
        }
        Some(text)
    }
}

/// A value as one word of a file of settings, whatever is in it.
pub(super) fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(options: &Options) -> String {
        options.render(7000, Path::new("/t/socket"), Path::new("/t"))
    }

    fn check_lines(options: &Options, present: &[&str], absent: &[&str]) {
        let text = rendered(options);
        for line in present {
            assert!(text.lines().any(|found| found == *line), "no `{line}` in:\n{text}");
        }
        for start in absent {
            assert!(!text.lines().any(|found| found.starts_with(start)), "`{start}` in:\n{text}");
        }
    }

    #[test]
    fn each_option_has_its_lines() {
        let plain = Options::default();
        check_lines(&plain, &["bind 127.0.0.1", "port 7000", "save \"\""], &["append", "tls-"]);
        let always = Options { durability: Durability::Always, ..Options::default() };
        check_lines(&always, &["appendonly yes", "appendfsync always"], &[]);
        let password = Options { password: Some("a b\"c".to_owned()), ..Options::default() };
        check_lines(&password, &["requirepass \"a b\\\"c\""], &["aclfile"]);
        let files = TlsFiles {
            authority: "/c/a".into(),
            certificate: "/c/s".into(),
            key: "/c/k".into(),
            clients: ClientCertificates::Required,
        };
        let tls = Options { tls: Some(files), ..Options::default() };
        check_lines(&tls, &["port 0", "tls-port 7000", "tls-auth-clients yes"], &["port 7000"]);
        let sentinel = Options { kind: Kind::Sentinel, ..Options::default() };
        check_lines(&sentinel, &["port 7000"], &["save", "append", "enable-debug"]);
    }

    fn user(name: &str, password: &str, rules: &str) -> User {
        User { name: name.to_owned(), password: password.to_owned(), rules: rules.to_owned() }
    }

    #[test]
    fn users_stand_in_a_file_beside_that_of_the_control_connection() {
        let users = vec![user("app", "secret", "~a:* +get")];
        let options = Options { users, password: Some("p".to_owned()), ..Options::default() };
        check_lines(&options, &["aclfile \"/t/users.acl\""], &["requirepass"]);
        assert_eq!(
            options.render_users("c").as_deref(),
            Some(
                "user default on >p ~* &* +@all\nuser testkit-control on >c ~* &* +@all\n\
                 user app on >secret ~a:* +get\n"
            )
        );
        assert_eq!(Options::default().render_users("c"), None);
    }

    #[test]
    fn what_would_break_a_line_is_refused() {
        let check = |users: Vec<User>, directives: Vec<(String, String)>, good: bool| {
            let options = Options { users, directives, ..Options::default() };
            assert_eq!(options.check().is_ok(), good);
        };
        check(vec![user("app", "secret", "+@all ~*")], vec![], true);
        check(vec![user("a b", "secret", "+@all")], vec![], false);
        check(vec![user("app", "", "+@all")], vec![], false);
        check(vec![user("app", "secret", "+@all\nuser b on nopass")], vec![], false);
        check(vec![], vec![("hz".to_owned(), "10".to_owned())], true);
        check(vec![], vec![("hz".to_owned(), "10\nport 1".to_owned())], false);
        check(vec![], vec![(String::new(), "10".to_owned())], false);
    }
}
