//! The URL of a server, of sentinels or of a cluster.

use layered_settings::Secret;

use super::credentials::Credentials;
use super::node::{Node, SENTINEL_PORT, SERVER_PORT, decimal};

/// What a URL has to look like, for messages.
pub(super) const EXPECTED: &str = "a URL of one server, such as redis://user:password@host:6379/0, \
                                   of sentinels, redis-sentinel://host,host/service/0, or of a \
                                   cluster, redis-cluster://host,host; rediss for redis gives TLS; \
                                   signs like / ? # % in user and password are written as %2F %3F \
                                   %23 %25, and there are no parameters";

/// What a URL says.
#[derive(Debug, PartialEq)]
pub(super) struct RedisUrl {
    pub(super) servers: Servers,
    pub(super) database: u32,
    pub(super) credentials: Option<Credentials>,
    pub(super) tls: bool,
}

/// Which servers a URL names.
#[derive(Debug, PartialEq)]
pub(super) enum Servers {
    One(Node),
    Sentinels { service: String, nodes: Vec<Node> },
    Cluster(Vec<Node>),
}

/// Reads `redis://[[user]:password@]host[:port][/database]`,
/// `redis-sentinel://[[user]:password@]host[:port],…/service[/database]` or
/// `redis-cluster://[[user]:password@]host[:port],…`, or the same with `rediss`.
///
/// Parameters and fragments are refused, since other programs let them switch off the verification
/// of certificates, and whatever else they ask for would be left out silently.
pub(super) fn parse(text: &str) -> Option<RedisUrl> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let kind = scheme.strip_prefix("redis")?;
    let (kind, tls) = match kind.strip_prefix('s') {
        Some(kind) => (kind, true),
        None => (kind, false),
    };
    if rest.contains(['?', '#']) {
        return None;
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, names) = match authority.rsplit_once('@') {
        Some((login, names)) => (Some(credentials(login)?), names),
        None => (None, authority),
    };
    let (servers, path) = match kind {
        "" => (Servers::One(Node::parse(names, SERVER_PORT)?), path),
        "-sentinel" => {
            let (service, path) = path.split_once('/').unwrap_or((path, ""));
            let service = unescaped(service)?;
            if service.is_empty() || service.contains(char::is_whitespace) {
                return None;
            }
            let nodes = Node::parse_list(names, SENTINEL_PORT)?;
            (Servers::Sentinels { service, nodes }, path)
        }
        "-cluster" => (Servers::Cluster(Node::parse_list(names, SERVER_PORT)?), path),
        _ => return None,
    };
    let database = if path.is_empty() { 0 } else { database(path)? };
    // A cluster has no other database.
    let is_cluster = matches!(servers, Servers::Cluster(_));
    (!is_cluster || database == 0).then_some(RedisUrl { servers, database, credentials, tls })
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

    fn list(nodes: &[Node]) -> String {
        nodes.iter().map(Node::to_string).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_url_says_server_database_login_and_tls() {
        let check = |text: &str, server: &str, database: u32, login: Option<(&str, &str)>, tls| {
            let url = parse(text).expect(text);
            let found = match &url.servers {
                Servers::One(server) => server.to_string(),
                Servers::Sentinels { service, nodes } => format!("{service} of {}", list(nodes)),
                Servers::Cluster(nodes) => format!("cluster of {}", list(nodes)),
            };
            assert_eq!((found.as_str(), url.database), (server, database));
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
        check("redis-sentinel://a,b:1/main", "main of a:26379 b:1", 0, None, false);
        check("rediss-sentinel://u:p@a/m%2Fn/3", "m/n of a:26379", 3, Some(("u", "p")), true);
        check("redis-cluster://a,[::1]:2", "cluster of a:6379 [::1]:2", 0, None, false);
        check("REDISS-CLUSTER://:p@a/0", "cluster of a:6379", 0, Some(("", "p")), true);
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
            "redis-sentinel://h",
            "redis-sentinel://h/",
            "redis-sentinel://h//0",
            "redis-sentinel://h/a%20b",
            "redis-sentinel://h/s/x",
            "redis-sentinel://h/s/0/1",
            "redis-sentinel:///s",
            "redis-cluster://",
            "redis-cluster://a,",
            "redis-cluster://h/1",
            "redissentinel://h/s",
            "redis-sentinels://h/s",
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
        fn no_text_panics(text in "(redis|rediss)(-cluster|-sentinel)?://[a-f%@:/\\[\\],0-9é]{0,24}") {
            if let Some(RedisUrl { servers: Servers::One(server), .. }) = parse(&text) {
                prop_assert!(!server.host().is_empty());
            }
        }
    }
}
