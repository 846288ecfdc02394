//! Hosts with their ports.

use std::fmt;
use std::net::Ipv6Addr;

/// The port of a server where none is said.
pub(super) const SERVER_PORT: u16 = 6379;

/// The port of a sentinel where none is said.
pub(super) const SENTINEL_PORT: u16 = 26_379;

/// The longest name that the domain name system has.
const LONGEST_NAME: usize = 253;

/// A host and its port.
///
/// It prints as it is written in an address: `cache:6379`, `[::1]:6379`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Node {
    host: String,
    port: u16,
}

impl Node {
    /// The host's name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, from 1 to 65535.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn new(host: &str, port: u16) -> Option<Self> {
        (is_host(host) && port > 0).then(|| Self { host: bare(host).to_owned(), port })
    }

    /// Reads `host`, `host:port`, `[::1]` or `[::1]:port`.
    pub(super) fn parse(text: &str, default_port: u16) -> Option<Self> {
        let (host, port) = match text.rfind(']') {
            Some(end) => text.split_at(end + 1),
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        match port.strip_prefix(':') {
            Some(port) => Self::new(host, decimal(port)?),
            None if port.is_empty() => Self::new(host, default_port),
            None => None,
        }
    }

    /// Reads nodes that are separated by commas; blanks may stand around them.
    pub(super) fn parse_list(text: &str, default_port: u16) -> Option<Vec<Self>> {
        text.split(',').map(|node| Self::parse(node.trim(), default_port)).collect()
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(formatter, "[{host}]:{port}")
        } else {
            write!(formatter, "{host}:{port}")
        }
    }
}

/// Whether a text is the name of a host or an IP address; one of version 6 may have brackets.
pub(super) fn is_host(text: &str) -> bool {
    if bare(text).contains(':') {
        return bare(text).parse::<Ipv6Addr>().is_ok();
    }
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && text.bytes().any(|byte| byte.is_ascii_alphanumeric())
}

/// Reads digits and nothing else: no sign, which the standard library would take.
pub(super) fn decimal<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_read_and_print() {
        let check = |text: &str, expected: Option<&str>| {
            let node = Node::parse(text, 7).map(|node| node.to_string());
            assert_eq!(node.as_deref(), expected, "{text:?}");
        };
        check("cache", Some("cache:7"));
        check("cache:6379", Some("cache:6379"));
        check("a_b-c.example.:1", Some("a_b-c.example.:1"));
        check("127.0.0.1:65535", Some("127.0.0.1:65535"));
        check("[::1]", Some("[::1]:7"));
        check("[fe80::1]:2", Some("[fe80::1]:2"));
        for wrong in [
            "", ":1", "h:", "h:0", "h:65536", "h:+1", "h:1:2", "::1", "[::1", "[::1]1", "[h]:1",
            "[]", "u@h", "a b", "h/1", "-", ".", "h\u{e9}", "h,i",
        ] {
            check(wrong, None);
        }
        check(&"h".repeat(254), None);
        let node = Node::parse("[::1]:2", 7).unwrap();
        assert_eq!((node.host(), node.port()), ("::1", 2));
    }

    #[test]
    fn lists_have_commas_between() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let nodes = Node::parse_list(text, 7);
            let shown = nodes.map(|nodes| nodes.iter().map(Node::to_string).collect::<Vec<_>>());
            assert_eq!(
                shown.as_deref(),
                expected
                    .map(|nodes| nodes.iter().map(ToString::to_string).collect::<Vec<_>>())
                    .as_deref(),
                "{text:?}"
            );
        };
        check("a", Some(&["a:7"]));
        check("a:1, b ,[::1]:3", Some(&["a:1", "b:7", "[::1]:3"]));
        check("", None);
        check("a,", None);
        check("a;b", None);
    }
}
