//! What a setting may hold, and how it is read.

use std::time::Duration;

use humantime::format_duration;

use crate::limits::Limits;
use crate::secret::{MASK, Secret};
use crate::shown;
use crate::size;
use crate::url::Url;
use crate::value::Value;

/// A value as a layer holds it, before anything is known of it.
///
/// It may be a secret: `Debug` is left out on purpose.
#[derive(Clone)]
pub(crate) enum Raw {
    /// Text from a place where everything is text: a variable, a call, a default.
    Loose(String),
    /// Text in a file, where numbers and booleans have a form of their own.
    Text(String),
    /// A whole number in a file.
    Integer(i128),
    /// A boolean in a file.
    Boolean(bool),
    /// What no setting holds, by its name: a table, a list, a fraction.
    Other(&'static str),
}

impl Raw {
    /// The value as the text that reads as the same one; none for what no setting holds.
    pub(crate) fn into_text(self) -> Option<String> {
        match self {
            Self::Loose(text) | Self::Text(text) => Some(text),
            Self::Integer(number) => Some(number.to_string()),
            Self::Boolean(boolean) => Some(boolean.to_string()),
            Self::Other(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Text,
    Choice(&'static [&'static str]),
    Integer(Limits<i64>),
    Boolean,
    Duration { limits: Limits<Duration>, off: bool },
    Size(Limits<u64>),
    Url,
    Secret,
    Path,
}

impl Kind {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Choice(_) => "choice",
            Self::Integer(_) => "integer",
            Self::Boolean => "boolean",
            Self::Duration { .. } => "duration",
            Self::Size(_) => "size",
            Self::Url => "URL",
            Self::Secret => "secret",
            Self::Path => "path",
        }
    }

    /// What a valid value is, in words.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Text | Self::Secret => "text".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Integer(limits) => format!("an integer{}", limits.words(|n| n.to_string())),
            Self::Boolean => "true or false".to_owned(),
            Self::Duration { limits, off } => {
                let (example, off) = (duration_within(limits), if *off { ", or off" } else { "" });
                let limits = limits.words(duration_words);
                format!("a duration{limits} with its unit, such as {example}{off}")
            }
            Self::Size(limits) => {
                let example = size_within(limits);
                format!("a size in bytes{}, such as {example}", limits.words(|n| n.to_string()))
            }
            Self::Url => "a URL, such as scheme://host/path".to_owned(),
            Self::Path => "a path".to_owned(),
        }
    }

    pub(crate) fn can_hold_secret(&self) -> bool {
        matches!(self, Self::Url | Self::Secret)
    }

    /// A raw value as a message may show it.
    pub(crate) fn shown(&self, raw: &Raw) -> String {
        if self.can_hold_secret() {
            return MASK.to_owned();
        }
        match raw {
            // It may be a URL with its password, written where none belongs.
            Raw::Loose(text) | Raw::Text(text) if text.contains('@') => MASK.to_owned(),
            Raw::Loose(text) | Raw::Text(text) => shown::quoted(text),
            Raw::Integer(number) => number.to_string(),
            Raw::Boolean(boolean) => boolean.to_string(),
            Raw::Other(name) => (*name).to_owned(),
        }
    }

    /// Reads a value; none where it is not what [`expected`](Self::expected) says.
    pub(crate) fn read(&self, raw: &Raw) -> Option<Value> {
        match (self, raw) {
            (Self::Integer(limits), Raw::Integer(number)) => {
                i64::try_from(*number).ok().filter(|n| limits.allow(n)).map(Value::Integer)
            }
            (Self::Size(limits), Raw::Integer(number)) => {
                u64::try_from(*number).ok().filter(|n| limits.allow(n)).map(Value::Size)
            }
            (Self::Boolean, Raw::Boolean(boolean)) => Some(Value::Boolean(*boolean)),
            (Self::Integer(_) | Self::Boolean, Raw::Text(_))
            | (_, Raw::Integer(_) | Raw::Boolean(_) | Raw::Other(_)) => None,
            (_, Raw::Loose(text) | Raw::Text(text)) => self.read_text(text),
        }
    }

    fn read_text(&self, text: &str) -> Option<Value> {
        let trimmed = text.trim();
        match self {
            Self::Text => Some(Value::Text(text.to_owned())),
            Self::Choice(words) => {
                words.contains(&trimmed).then(|| Value::Text(trimmed.to_owned()))
            }
            Self::Integer(limits) => {
                trimmed.parse().ok().filter(|n| limits.allow(n)).map(Value::Integer)
            }
            Self::Boolean => read_boolean(trimmed).map(Value::Boolean),
            Self::Duration { off: true, .. } if trimmed == "off" => Some(Value::Off),
            Self::Duration { limits, .. } => {
                read_duration(trimmed).filter(|d| limits.allow(d)).map(Value::Duration)
            }
            Self::Size(limits) => size::parse(text).filter(|n| limits.allow(n)).map(Value::Size),
            Self::Url => Url::parse(trimmed).map(Value::Url),
            Self::Secret => Some(Value::Secret(Secret::new(text))),
            Self::Path => (!text.is_empty()).then(|| Value::Path(text.into())),
        }
    }
}

/// A duration inside the limits, to show how one is written.
fn duration_within(limits: &Limits<Duration>) -> String {
    let examples = [
        ("30s", Duration::from_secs(30)),
        ("500ms", Duration::from_millis(500)),
        ("20us", Duration::from_micros(20)),
        ("1h", Duration::from_hours(1)),
        ("30days", Duration::from_hours(30 * 24)),
    ];
    match examples.into_iter().find(|(_, duration)| limits.allow(duration)) {
        Some((text, _)) => text.to_owned(),
        None => limits.bound().map_or_else(|| "30s".to_owned(), duration_words),
    }
}

/// A size inside the limits, to show how one is written.
fn size_within(limits: &Limits<u64>) -> String {
    let examples = [("64MiB", 64 << 20), ("64KiB", 64 << 10), ("64B", 64)];
    match examples.into_iter().find(|(_, bytes)| limits.allow(bytes)) {
        Some((text, _)) => text.to_owned(),
        None => limits.bound().map_or_else(|| "64MiB".to_owned(), |bytes| bytes.to_string()),
    }
}

/// A bound in words: whole days as days, which otherwise would be months of 30.44 days each.
fn duration_words(duration: Duration) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let (days, rest) = (duration.as_secs() / DAY, duration.as_secs() % DAY);
    if days == 0 || rest > 0 || duration.subsec_nanos() > 0 {
        return format_duration(duration).to_string();
    }
    if days == 1 { "1day".to_owned() } else { format!("{days}days") }
}

fn read_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Reads a duration; a number alone has no unit, so that even `0` is refused.
fn read_duration(text: &str) -> Option<Duration> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    humantime::parse_duration(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn loose(text: &str) -> Raw {
        Raw::Loose(text.to_owned())
    }

    fn durations(off: bool) -> Kind {
        Kind::Duration { limits: Limits::new(&..), off }
    }

    #[test]
    fn durations_are_read_as_people_and_go_write_them() {
        let check = |text: &str, expected: Option<&str>| {
            let read = durations(false).read(&loose(text)).map(|value| value.to_string());
            assert_eq!(read.as_deref(), expected, "{text:?}");
        };
        check("30s", Some("30s"));
        check("1m30s", Some("1m 30s"));
        check("1m 30s", Some("1m 30s"));
        check("500ms", Some("500ms"));
        check("1.5h", Some("1h 30m"));
        check("1h0m0.5s", Some("1h 500ms"));
        check(" 2min ", Some("2m"));
        check("0s", Some("0s"));
        for wrong in ["30", "0", "", "-1s", "s", "1x", "99999999999999999999s", "off", "1m-30s"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_duration_may_be_switched_off_where_that_is_declared() {
        assert_eq!(durations(true).read(&loose("off")), Some(Value::Off));
        assert_eq!(durations(true).read(&loose("0")), None);
        assert_eq!(durations(true).read(&Raw::Integer(30)), None);
        assert!(durations(true).expected().ends_with("such as 30s, or off"));
    }

    #[test]
    fn what_is_expected_has_an_example_that_is_allowed() {
        let hours = Duration::from_hours;
        let (ms, second) = (Duration::from_millis, Duration::from_secs(1));
        let check = |kind: Kind, expected: &str| {
            let words = kind.expected();
            assert_eq!(words, expected);
            let (_, example) = words.split_once(", such as ").expect(expected);
            assert!(kind.read(&loose(example)).is_some(), "{expected}");
        };
        let duration = |limits| Kind::Duration { limits, off: false };
        check(duration(Limits::new(&..)), "a duration with its unit, such as 30s");
        check(
            duration(Limits::new(&..=second)),
            "a duration of at most 1s with its unit, such as 500ms",
        );
        check(
            duration(Limits::new(&(ms(1)..=hours(365 * 24)))),
            "a duration from 1ms to 365days with its unit, such as 30s",
        );
        check(
            duration(Limits::new(&(hours(24)..))),
            "a duration of at least 1day with its unit, such as 30days",
        );
        check(
            duration(Limits::new(&(hours(36)..=hours(48)))),
            "a duration from 1day 12h to 2days with its unit, such as 1day 12h",
        );
        check(Kind::Size(Limits::new(&(32..))), "a size in bytes of at least 32, such as 64MiB");
        check(Kind::Size(Limits::new(&(1..=2048))), "a size in bytes from 1 to 2048, such as 64B");
        check(Kind::Size(Limits::new(&(1..=7))), "a size in bytes from 1 to 7, such as 1");
    }

    #[test]
    fn everything_is_text_outside_files() {
        let check = |kind: &Kind, text: &str, expected: Option<Value>| {
            assert_eq!(kind.read(&loose(text)), expected, "{kind:?} {text:?}");
        };
        let port = Kind::Integer(Limits::new(&(1..=65535)));
        check(&port, " 80 ", Some(Value::Integer(80)));
        for wrong in ["0", "65536", "seven", "", "1.0", "99999999999999999999", "0x10"] {
            check(&port, wrong, None);
        }
        for (text, expected) in [("true", true), ("YES", true), ("On", true), ("1", true)] {
            check(&Kind::Boolean, text, Some(Value::Boolean(expected)));
        }
        for (text, expected) in [("false", false), ("no", false), ("OFF", false), ("0", false)] {
            check(&Kind::Boolean, text, Some(Value::Boolean(expected)));
        }
        check(&Kind::Boolean, "maybe", None);
        let words = Kind::Choice(&["sync", "relaxed"]);
        check(&words, "relaxed", Some(Value::Text("relaxed".into())));
        check(&words, "Relaxed", None);
        check(&Kind::Size(Limits::new(&(1..=2048))), "2KiB", Some(Value::Size(2048)));
        check(&Kind::Size(Limits::new(&(1..=2048))), "3KiB", None);
        check(&Kind::Path, "", None);
        check(&Kind::Text, " a ", Some(Value::Text(" a ".into())));
        check(&Kind::Secret, " a ", Some(Value::Secret(Secret::new(" a "))));
        check(&Kind::Url, "nonsense", None);
    }

    #[test]
    fn files_say_of_which_type_a_value_is() {
        let check = |kind: &Kind, raw: Raw, expected: Option<Value>| {
            assert_eq!(kind.read(&raw), expected, "{kind:?}");
        };
        let text = |text: &str| Raw::Text(text.to_owned());
        let integer = Kind::Integer(Limits::new(&..));
        let size = Kind::Size(Limits::new(&..));
        check(&integer, Raw::Integer(7), Some(Value::Integer(7)));
        check(&integer, Raw::Integer(i128::from(u64::MAX)), None);
        check(&integer, text("7"), None);
        check(&integer, Raw::Other("a fraction"), None);
        check(&size, Raw::Integer(i128::from(u64::MAX)), Some(Value::Size(u64::MAX)));
        check(&size, Raw::Integer(-1), None);
        check(&size, text("1KiB"), Some(Value::Size(1024)));
        check(&Kind::Boolean, Raw::Boolean(false), Some(Value::Boolean(false)));
        check(&Kind::Boolean, text("true"), None);
        check(&Kind::Text, Raw::Integer(7), None);
        check(&Kind::Secret, Raw::Boolean(true), None);
        check(&durations(false), text("30s"), Some(Value::Duration(Duration::from_secs(30))));
    }

    #[test]
    fn a_refused_secret_is_not_shown() {
        for kind in [Kind::Url, Kind::Secret] {
            assert_eq!(kind.shown(&loose("canary")), "***");
            assert_eq!(kind.shown(&Raw::Integer(4711)), "***");
        }
        assert_eq!(Kind::Boolean.shown(&loose("no\n")), "\"no\\n\"");
        assert_eq!(Kind::Text.shown(&Raw::Other("a list")), "a list");
    }

    proptest! {
        #[test]
        fn a_printed_duration_reads_back(seconds in 0..10_000_000_000_u64, nanos in 0..1_000_000_000_u32) {
            let value = Value::Duration(Duration::new(seconds, nanos));
            prop_assert_eq!(durations(false).read(&loose(&value.to_string())), Some(value));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let kinds = [
                Kind::Text, Kind::Boolean, Kind::Url, Kind::Path, durations(true),
                Kind::Integer(Limits::new(&..)), Kind::Size(Limits::new(&..)),
            ];
            for kind in kinds {
                let _ = kind.read(&loose(&text));
            }
        }
    }
}
