//! A setting's value.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use humantime::format_duration;

use crate::secret::Secret;
use crate::shown;
use crate::size;
use crate::url::Url;

/// A setting's value, of the kind that its declaration asks for.
///
/// `Display` is the form for people and `to_json` the form for programs. Neither shows a secret
/// or a URL's password, nor does `Debug`.
///
/// ```
/// use std::time::Duration;
/// use layered_settings::Value;
///
/// let value = Value::Duration(Duration::from_secs(90));
/// assert_eq!(value.to_string(), "1m 30s");
/// assert_eq!(value.to_json(), r#""1m 30s""#);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No layer sets it and it has no default.
    Absent,
    /// A duration that is switched off.
    Off,
    /// Text, or one of the allowed words.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// A span of time.
    Duration(Duration),
    /// A number of bytes.
    Size(u64),
    /// A URL, shown without its password.
    Url(Url),
    /// A text that is never shown.
    Secret(Secret),
    /// A path in the file system.
    Path(PathBuf),
}

impl Value {
    /// Whether a value is there; one that is switched off is.
    pub fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// The value as one JSON value.
    ///
    /// Numbers and sizes are numbers, durations texts like `"1m 30s"`, secrets `"***"`, an absent
    /// value `null`.
    pub fn to_json(&self) -> String {
        self.json().to_string()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        match self {
            Self::Absent => serde_json::Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Integer(number) => (*number).into(),
            Self::Boolean(boolean) => (*boolean).into(),
            Self::Size(bytes) => (*bytes).into(),
            Self::Url(url) => url.masked().into(),
            Self::Path(path) => path.to_string_lossy().into(),
            Self::Off | Self::Duration(_) | Self::Secret(_) => self.to_string().into(),
        }
    }

    /// The value as a message shows it: texts in quotes, long ones cut.
    pub(crate) fn quoted(&self) -> String {
        match self {
            Self::Text(text) => shown::quoted(text),
            Self::Path(path) => shown::quoted(&path.to_string_lossy()),
            Self::Url(url) => shown::quoted(url.masked()),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => formatter.write_str("(not set)"),
            Self::Off => formatter.write_str("off"),
            Self::Text(text) => escaped(formatter, text),
            Self::Integer(number) => number.fmt(formatter),
            Self::Boolean(boolean) => boolean.fmt(formatter),
            Self::Duration(duration) => format_duration(*duration).fmt(formatter),
            Self::Size(bytes) => formatter.write_str(&size::format(*bytes)),
            Self::Url(url) => escaped(formatter, url.masked()),
            Self::Secret(secret) => secret.fmt(formatter),
            Self::Path(path) => escaped(formatter, &path.to_string_lossy()),
        }
    }
}

/// Writes a text without the control characters that a terminal would obey.
fn escaped(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|character| {
        if shown::is_obeyed(character) {
            write!(formatter, "{}", character.escape_default())
        } else {
            fmt::Write::write_char(formatter, character)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_for_people_and_programs() {
        let check = |value: Value, people: &str, programs: &str| {
            assert_eq!(value.to_string(), people);
            assert_eq!(value.to_json(), programs);
        };
        check(Value::Absent, "(not set)", "null");
        check(Value::Off, "off", r#""off""#);
        check(Value::Text("a\"\u{7}é".into()), "a\"\\u{7}é", r#""a\"\u0007é""#);
        check(Value::Text("\u{202e}a".into()), "\\u{202e}a", "\"\u{202e}a\"");
        check(Value::Integer(-3), "-3", "-3");
        check(Value::Boolean(true), "true", "true");
        check(Value::Duration(Duration::from_millis(90_500)), "1m 30s 500ms", r#""1m 30s 500ms""#);
        check(Value::Duration(Duration::ZERO), "0s", r#""0s""#);
        check(Value::Size(u64::MAX), "18446744073709551615", "18446744073709551615");
        check(Value::Size(1024), "1024 (1 KiB)", "1024");
        check(Value::Secret(Secret::new("p")), "***", r#""***""#);
        check(Value::Path("/a b".into()), "/a b", r#""/a b""#);
        let url = Url::parse("redis://u:p@h/0").unwrap();
        check(Value::Url(url), "redis://u:***@h/0", r#""redis://u:***@h/0""#);
    }
}
