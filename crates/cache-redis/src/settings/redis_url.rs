//! The URL of one server.

use layered_settings::Secret;

use super::credentials::Credentials;
use super::node::{Node, SERVER_PORT, decimal};

/// What a URL has to look like, for messages.
pub(super) const EXPECTED: &str = "a URL of one server, such as redis://user:password@host:6379/0 \
                                   or rediss:// for TLS, with signs like / ? # % in user and \
                                   password written as %2F %3F %23 %25, and without parameters";

/// What a URL says.
#[derive(Debug, PartialEq)]
pub(super) struct RedisUrl {
    pub(super) server: Node,
    pub(super) database: u32,
    pub(super) credentials: Option<Credentials>,
    pub(super) tls: bool,
}

/// Reads `redis://[[user]:password@]host[:port][/database]`, or the same with `rediss`.
///
/// Parameters and fragments are refused, since other programs let them switch off the verification
/// of certificates, and whatever else they ask for would be left out silently.
pub(super) fn parse(text: &str) -> Option<RedisUrl> {
    let (scheme, rest) = text.split_once("://")?;
    let tls = scheme.eq_ignore_ascii_case("rediss");
    if !(tls || scheme.eq_ignore_ascii_case("redis")) || rest.contains(['?', '#']) {
        return None;
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, server) = match authority.rsplit_once('@') {
        Some((login, server)) => (Some(credentials(login)?), server),
        None => (None, authority),
    };
    let database = if path.is_empty() { 0 } else { database(path)? };
    Some(RedisUrl { server: Node::parse(server, SERVER_PORT)?, database, credentials, tls })
}

/// A user without a password cannot log in, and a password that is empty is none.
fn credentials(login: &str) -> Option<Credentials> {
    let (user, password) = login.split_once(':')?;
    let (user, password) = (unescaped(user)?, unescaped(password)?);
    let user = (!user.is_empty()).then_some(user);
    (!password.is_empty()).then(|| Credentials::new(user, Secret::new(password)))
}

fn database(path: &str) -> Option<u32> {
    decimal(path).filter(|number| i32::try_from(*number).is_ok())
}

/// Replaces `%2F` and the like; a `%` that stands for itself would leave two readings.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hexadecimal(rest.next()?)? << 4 | hexadecimal(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_says_server_database_login_and_tls() {
        let check = |text: &str, server: &str, database: u32, login: Option<(&str, &str)>, tls| {
            let url = parse(text).expect(text);
            assert_eq!((url.server.to_string().as_str(), url.database), (server, database));
            let found = url
                .credentials
                .as_ref()
                .map(|found| (found.user().unwrap_or_default(), found.password().expose()));
            assert_eq!((found, url.tls), (login, tls), "{text}");
        };
        check("redis://h", "h:6379", 0, None, false);
        check("redis://h/", "h:6379", 0, None, false);
        check("REDISS://h:1/15", "h:1", 15, None, true);
        check("redis://127.0.0.1:6379/0", "127.0.0.1:6379", 0, None, false);
        check("redis://:p@[::1]:2/3", "[::1]:2", 3, Some(("", "p")), false);
        check("rediss://u:p:q@r@h", "h:6379", 0, Some(("u", "p:q@r")), true);
        check("redis://a%40b:%2f%3F%23%25@h", "h:6379", 0, Some(("a@b", "/?#%")), false);
        check("redis://u:%C3%A9@h/2147483647", "h:6379", 2_147_483_647, Some(("u", "é")), false);
    }

    #[test]
    fn whatever_else_is_no_url_of_a_server() {
        for text in [
            "",
            "h",
            "redis:",
            "redis:h",
            "redis://",
            "redis:///0",
            "redis://:6379",
            "http://h",
            "redis+unix:///run/redis.sock",
            "unix:///run/redis.sock",
            "redis-sentinel://h/s",
            "redis://h:x",
            "redis://h:0",
            "redis://h:70000",
            "redis://a,b",
            "redis://h/x",
            "redis://h/-1",
            "redis://h/+1",
            "redis://h/2147483648",
            "redis://h/0/1",
            "redis://h/0?protocol=resp3",
            "redis://h#insecure",
            "rediss://h/?ssl_cert_reqs=none",
            "redis://u@h",
            "redis://u:@h",
            "redis://@h",
            "redis://:@h",
            "redis://u:a/b@h",
            "redis://u:%2@h",
            "redis://u:%zz@h",
            "redis://u:%FF@h",
            "redis://u:100%@h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_password_can_be_written(user in "\\PC{1,8}", password in "\\PC{1,16}") {
            let escaped = |text: &str| {
                text.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02X}"))
            };
            let text = format!("redis://{}:{}@h/1", escaped(&user), escaped(&password));
            let credentials = parse(&text).unwrap().credentials.unwrap();
            prop_assert_eq!(credentials.user(), Some(user.as_str()));
            prop_assert_eq!(credentials.password().expose(), password);
        }

        #[test]
        fn no_text_panics(text in "(redis|rediss)://[a-f%@:/\\[\\],0-9é]{0,24}") {
            if let Some(url) = parse(&text) {
                prop_assert!(!url.server.host().is_empty());
            }
        }
    }
}
