//! URLs that print without their password.

use std::fmt;
use std::ops::Range;

use crate::secret::{MASK, Secret};

/// A URL whose password prints as `***`; everything else prints as it was written.
///
/// What counts as a password: the part of the user information after its first colon, and the
/// value of a query parameter that is named `password`, `passwd`, `pwd`, `pass` or `token`, or so
/// behind a `_`, `-` or `.`, as in `sentinel_password`. A `file:` URL has neither, since a `?` is a
/// part of its path. The user information ends at the last `@` before the path, so a password may hold `@` and `:`. A
/// password with a raw `/`, `?` or `#` is no valid URL; where the port would not be a number, such
/// a text is read as one all the same, so that it stays hidden.
///
/// ```
/// use layered_settings::Url;
///
/// let url = Url::parse("redis://u:p@ss@host:1/0").unwrap();
/// assert_eq!(url.to_string(), "redis://u:***@host:1/0");
/// assert_eq!(url.expose(), "redis://u:p@ss@host:1/0");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    whole: Secret,
    shown: String,
}

impl Url {
    /// Reads a text that starts with a scheme and a colon and holds no control character.
    ///
    /// What follows the scheme is left to whoever connects: `file:notes.redb` and
    /// `redis-sentinel://a:1,b:2/name` are both URLs here. Returns none where the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let named = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        if !named || text.chars().any(char::is_control) {
            return None;
        }
        Some(Self { whole: Secret::new(text), shown: masked(text, scheme, rest) })
    }

    /// The whole URL, its password included.
    pub fn expose(&self) -> &str {
        self.whole.expose()
    }

    /// The URL with its password replaced by `***`.
    pub fn masked(&self) -> &str {
        &self.shown
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown, formatter)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

fn masked(text: &str, scheme: &str, rest: &str) -> String {
    let start = scheme.len() + 1;
    let mut hidden: Vec<Range<usize>> = Vec::new();
    if let Some(after) = rest.strip_prefix("//") {
        hidden.extend(user_password(after).map(|range| shift(&range, start + 2)));
    } else if !scheme.eq_ignore_ascii_case("file") && !rest.starts_with(['/', '.']) {
        // The slashes were forgotten: `redis:user:password@host`.
        hidden.extend(between_colon_and_at(rest).map(|range| shift(&range, start)));
    }
    if !scheme.eq_ignore_ascii_case("file") {
        let after_user = hidden.last().map_or(start, |range| range.end);
        hidden.extend(query_passwords(&text[after_user..]).map(|range| shift(&range, after_user)));
    }

    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    for range in hidden {
        shown.push_str(&text[done..range.start]);
        shown.push_str(MASK);
        done = range.end;
    }
    shown.push_str(&text[done..]);
    shown
}

fn shift(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// The password in what follows `://`.
fn user_password(after: &str) -> Option<Range<usize>> {
    let authority = &after[..after.find(['/', '?', '#']).unwrap_or(after.len())];
    if authority.contains('@') {
        between_colon_and_at(authority)
    } else if authority.split(',').all(has_readable_port) {
        None
    } else {
        between_colon_and_at(after)
    }
}

/// Whether a text reads as `host`, `host:port` or `[address]:port`.
fn has_readable_port(host: &str) -> bool {
    let after_address = host.rsplit_once(']').map_or(host, |(_, after)| after);
    after_address
        .split_once(':')
        .is_none_or(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn between_colon_and_at(text: &str) -> Option<Range<usize>> {
    let end = text.rfind('@')?;
    let start = text[..end].find(':')? + 1;
    (start < end).then_some(start..end)
}

fn query_passwords(text: &str) -> impl Iterator<Item = Range<usize>> {
    let start = text.find('?').map_or(text.len(), |mark| mark + 1);
    let end = text[start..].find('#').map_or(text.len(), |mark| start + mark);
    let mut at = start;
    text[start..end].split(['&', ';']).filter_map(move |pair| {
        let from = at;
        at += pair.len() + 1;
        let (name, value) = pair.split_once('=')?;
        let secret = is_secret(name) && !value.is_empty();
        secret.then(|| from + name.len() + 1..from + pair.len())
    })
}

/// Whether a query parameter of this name holds a password.
fn is_secret(name: &str) -> bool {
    let word = name.rsplit(['_', '-', '.']).next().unwrap_or(name);
    ["password", "passwd", "pwd", "pass", "token"]
        .iter()
        .any(|secret| word.eq_ignore_ascii_case(secret))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_password_is_replaced() {
        let check = |text: &str, expected: &str| {
            let url = Url::parse(text).expect(text);
            assert_eq!(url.masked(), expected);
            assert_eq!(url.to_string(), expected);
            assert_eq!(format!("{url:?}"), format!("{expected:?}"));
            assert_eq!(url.expose(), text);
        };
        let unchanged = |text: &str| check(text, text);

        check("redis://u:p@host:1/0", "redis://u:***@host:1/0");
        check("redis://:p@host:1/0", "redis://:***@host:1/0");
        check("redis://u:p:q@r@host:1/0?x=1#f", "redis://u:***@host:1/0?x=1#f");
        check("redis://u:%40%2F@[::1]:6379/0", "redis://u:***@[::1]:6379/0");
        check("redis-sentinel://u:p@h:1,h:2/name", "redis-sentinel://u:***@h:1,h:2/name");
        check("redis://u:a/b@host:1/0", "redis://u:***@host:1/0");
        check("redis://u:a?b@host:1/0", "redis://u:***@host:1/0");
        check("redis:u:p@host", "redis:u:***@host");
        check("redis://h:1/0?Sentinel_Password=p&db=1", "redis://h:1/0?Sentinel_Password=***&db=1");
        check("x://u:p@h/?db=1&pwd=q#pwd=r", "x://u:***@h/?db=1&pwd=***#pwd=r");
        check(
            "redis://h/0?pass=p&TOKEN=q;auth-token=r",
            "redis://h/0?pass=***&TOKEN=***;auth-token=***",
        );
        check("redis://u:p@h/0?token=a=b&x=1", "redis://u:***@h/0?token=***&x=1");
        unchanged("redis://h:1/0?bypass=1&tokens=2&password_file=3&compass=n&protocol=resp3");
        unchanged("file:/a/b?token=x&password=y");
        unchanged("redis://127.0.0.1:6379/0");
        unchanged("redis://user@host/0");
        unchanged("redis://user:@host/0");
        unchanged("redis-sentinel://h:1,h:2/name?password=");
        unchanged("redis://[::1]:6379/0?mail=a@b");
        unchanged("https://host:443/@scope/name");
        unchanged("memory:");
        unchanged("file:/a/b:c@d");
        unchanged("file:a:b@c");
        unchanged("FILE://Host/Path%20X");
    }

    #[test]
    fn what_has_no_scheme_is_no_url() {
        for text in ["", "host", ":x", "1a:b", "a b:c", "redis://a\nb", "re\u{301}dis:x"] {
            assert!(Url::parse(text).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_password_never_shows(
            password in "[A-Za-z0-9:@%!$&'()*+,;=._~-]{1,24}",
            user in "[a-z]{0,8}",
            host in "[a-z.]{1,12}(:[0-9]{1,5})?(,[a-z]{1,5}:[0-9]{1,5})?",
            tail in "(/[0-9]{0,2})?(\\?x=[a-z]{0,4})?",
        ) {
            let url = Url::parse(&format!("redis://{user}:{password}@{host}{tail}")).unwrap();
            prop_assert_eq!(url.masked(), format!("redis://{user}:***@{host}{tail}"));
        }

        #[test]
        fn no_text_panics(text in "[a-z]{1,4}:[/:@?#&=,;\\[\\]a-zé0]{0,24}") {
            let url = Url::parse(&text).unwrap();
            prop_assert_eq!(url.expose(), text);
        }
    }
}
