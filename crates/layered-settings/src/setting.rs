//! The declaration of one setting.

use std::fmt;
use std::ops::RangeBounds;
use std::time::Duration;

use crate::kind::{Kind, Raw};
use crate::limits::Limits;
use crate::secret::MASK;
use crate::url::Url;
use crate::value::Value;

/// The declaration of one setting: its key, what it may hold, and where it may come from.
///
/// The key's parts are joined by dots and named as in a file: `redis.pool.size` is `size` in the
/// table `[redis.pool]`. A declaration is checked when it becomes part of a
/// [`Schema`](crate::Schema).
///
/// ```
/// use std::time::Duration;
/// use layered_settings::Setting;
///
/// let size = Setting::integer("redis.pool.size", 1..=10_000)
///     .default_value("100")
///     .variable("REDIS_POOL_SIZE")
///     .describe("connections at most");
/// assert_eq!(size.expected(), "an integer from 1 to 10000");
///
/// let lifetime = Setting::duration("redis.pool.max_lifetime", Duration::from_secs(1)..)
///     .or_off()
///     .default_value("off");
/// assert_eq!(
///     lifetime.expected(),
///     "a duration of at least 1s with its unit, such as 30s, or off",
/// );
/// ```
#[derive(Clone)]
#[must_use]
pub struct Setting {
    key: &'static str,
    kind: Kind,
    default: Option<String>,
    description: &'static str,
    variables: Vec<&'static str>,
    check: Option<Check>,
}

#[derive(Clone, Copy)]
struct Check {
    expected: &'static str,
    allows: fn(&str) -> bool,
}

impl Setting {
    /// A setting that holds any text.
    pub fn text(key: &'static str) -> Self {
        Self::new(key, Kind::Text)
    }

    /// A setting that holds one of some words, letter case included.
    pub fn choice(key: &'static str, words: &'static [&'static str]) -> Self {
        Self::new(key, Kind::Choice(words))
    }

    /// A setting that holds a whole number in a range.
    pub fn integer(key: &'static str, range: impl RangeBounds<i64>) -> Self {
        Self::new(key, Kind::Integer(Limits::new(&range)))
    }

    /// A setting that is true or false.
    ///
    /// Variables and calls may also say `yes`, `no`, `on`, `off`, `1` or `0`.
    pub fn boolean(key: &'static str) -> Self {
        Self::new(key, Kind::Boolean)
    }

    /// A setting that holds a duration in a range, always written with its unit.
    pub fn duration(key: &'static str, range: impl RangeBounds<Duration>) -> Self {
        Self::new(key, Kind::Duration { limits: Limits::new(&range), off: false })
    }

    /// A setting that holds a number of bytes in a range: a number, or text such as `64MiB`.
    pub fn size(key: &'static str, range: impl RangeBounds<u64>) -> Self {
        Self::new(key, Kind::Size(Limits::new(&range)))
    }

    /// A setting that holds a [`Url`](crate::Url), whose password is never shown.
    pub fn url(key: &'static str) -> Self {
        Self::new(key, Kind::Url)
    }

    /// A setting that holds a [`Secret`](crate::Secret).
    pub fn secret(key: &'static str) -> Self {
        Self::new(key, Kind::Secret)
    }

    /// A setting that holds a path, which must not be empty.
    pub fn path(key: &'static str) -> Self {
        Self::new(key, Kind::Path)
    }

    fn new(key: &'static str, kind: Kind) -> Self {
        let (default, description, variables, check) = (None, "", Vec::new(), None);
        Self { key, kind, default, description, variables, check }
    }

    /// Sets the value that holds where no layer says otherwise, written as in a variable.
    pub fn default_value(mut self, text: impl Into<String>) -> Self {
        self.default = Some(text.into());
        self
    }

    /// Says in a few words what the setting does.
    pub fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// Adds a flat variable, such as `REDIS_POOL_SIZE`; an earlier one wins over a later one.
    pub fn variable(mut self, name: &'static str) -> Self {
        self.variables.push(name);
        self
    }

    /// Lets a duration be switched off with the word `off`; it reads as `Option<Duration>`.
    pub fn or_off(mut self) -> Self {
        if let Kind::Duration { off, .. } = &mut self.kind {
            *off = true;
        }
        self
    }

    /// Adds a check of a text, choice, URL, secret or path, and says what it expects.
    ///
    /// A URL and a secret are handed to the check whole.
    pub fn check(mut self, expected: &'static str, allows: fn(&str) -> bool) -> Self {
        self.check = Some(Check { expected, allows });
        self
    }

    /// The full key, such as `redis.pool.size`.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// What precedes the key's first dot.
    pub fn section(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(section, _)| section)
    }

    /// The default as it was written, if there is one; a secret as `***`, a URL without its
    /// password.
    pub fn default_text(&self) -> Option<String> {
        let text = self.default.as_deref()?;
        Some(match self.kind {
            Kind::Secret => MASK.to_owned(),
            Kind::Url => Url::parse(text).map_or_else(|| MASK.to_owned(), |url| url.to_string()),
            _ => text.to_owned(),
        })
    }

    /// What the setting does.
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// The flat variables, the one that wins first.
    pub fn variables(&self) -> &[&'static str] {
        &self.variables
    }

    /// The name of the variable that sets this key, such as `TURNLEDGER__REDIS__POOL__SIZE`.
    pub fn prefixed_variable(&self, prefix: &str) -> String {
        format!("{prefix}__{}", self.key.replace('.', "__").to_ascii_uppercase())
    }

    /// The kind of value in one word, such as `duration`.
    pub fn kind_name(&self) -> &'static str {
        self.kind.name()
    }

    /// What a valid value is, in words.
    pub fn expected(&self) -> String {
        self.check.map_or_else(|| self.kind.expected(), |check| check.expected.to_owned())
    }

    /// Whether a value is hidden in messages, because it is a secret or may contain one.
    pub fn can_hold_secret(&self) -> bool {
        self.kind.can_hold_secret()
    }

    pub(crate) fn default_raw(&self) -> Option<Raw> {
        self.default.clone().map(Raw::Loose)
    }

    /// A raw value as a message may show it.
    pub(crate) fn shown(&self, raw: &Raw) -> String {
        self.kind.shown(raw)
    }

    /// Reads a value; none where it is not what [`expected`](Self::expected) says.
    pub(crate) fn read(&self, raw: &Raw) -> Option<Value> {
        let value = self.kind.read(raw)?;
        let Some(check) = self.check else { return Some(value) };
        let allowed = match &value {
            Value::Text(text) => (check.allows)(text),
            Value::Url(url) => (check.allows)(url.expose()),
            Value::Secret(secret) => (check.allows)(secret.expose()),
            Value::Path(path) => path.to_str().is_some_and(check.allows),
            _ => true,
        };
        allowed.then_some(value)
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Setting")
            .field("key", &self.key)
            .field("kind", &self.kind)
            .field("default", &self.default_text())
            .field("variables", &self.variables)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_sees_the_whole_text_and_says_what_it_expects() {
        let url = Setting::url("redis.url")
            .check("a URL that starts with redis:// or rediss://", |text| {
                text.starts_with("redis://") || text.starts_with("rediss://")
            });
        assert!(url.read(&Raw::Loose("redis://u:p@h".into())).is_some());
        assert!(url.read(&Raw::Loose("http://u:p@h".into())).is_none());
        assert!(url.read(&Raw::Loose("h".into())).is_none());
        assert_eq!(url.expected(), "a URL that starts with redis:// or rediss://");
    }

    #[test]
    fn a_declaration_tells_of_itself() {
        let setting = Setting::secret("redis.tls.key").variable("A").variable("B").describe("what");
        assert_eq!(setting.section(), "redis");
        assert_eq!(setting.prefixed_variable("X"), "X__REDIS__TLS__KEY");
        assert_eq!(setting.variables(), ["A", "B"]);
        assert_eq!((setting.kind_name(), setting.description()), ("secret", "what"));
        assert!(setting.can_hold_secret());
        assert_eq!(setting.default_text(), None);
        let setting = setting.default_value("canary");
        assert_eq!(setting.default_text().as_deref(), Some("***"));
        assert!(!format!("{setting:?}").contains("canary"));
        let url = Setting::url("redis.url").default_value("redis://u:canary@h");
        assert_eq!(url.default_text().as_deref(), Some("redis://u:***@h"));
    }
}
