//! The formats of settings files.

use std::error::Error;
use std::path::Path;

use config::{ConfigError, FileFormat, Format as _, Map, Value};

use crate::file::{json, toml, yaml};

/// Levels of nesting that a file may have; settings need three, and parsers overflow on thousands.
pub(crate) const DEEPEST: usize = 32;

/// What is left when a file is well formed and the `config` crate refuses it all the same.
const UNUSABLE: &str = "holds a number that is out of range, or a key that is no text";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Toml,
    Yaml,
    Json,
}

/// What is wrong in a file, in words that quote nothing of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) line: Option<usize>,
    pub(crate) reason: String,
}

impl Flaw {
    pub(crate) fn new(line: impl Into<Option<usize>>, reason: impl Into<String>) -> Self {
        Self { line: line.into(), reason: reason.into() }
    }

    /// Moves a line behind the last one, where some parsers notice what is missing, to the last.
    fn within(mut self, text: &str) -> Self {
        self.line = self.line.map(|line| line.min(text.lines().count()).max(1));
        self
    }

    pub(crate) fn too_deep(line: usize) -> Self {
        Self::new(line, format!("nested more than {DEEPEST} levels deep"))
    }
}

impl Format {
    /// The format that a file's extension says, in whatever letter case.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Parses a text whose top level is a table.
    pub(crate) fn parse(self, text: &str) -> Result<Map<String, Value>, Flaw> {
        self.parse_guarded(text).map_err(|flaw| flaw.within(text))
    }

    fn parse_guarded(self, text: &str) -> Result<Map<String, Value>, Flaw> {
        // What the parsers would take, but must not: endless nesting, aliases, repeated keys.
        let format = match self {
            Self::Toml => {
                toml::check(text)?;
                return toml::parse(text);
            }
            Self::Yaml => yaml::check(text).map(|()| FileFormat::Yaml),
            Self::Json => json::check(text).map(|()| FileFormat::Json),
        }?;
        format.parse(None, text).map_err(|error| explain(error.as_ref()))
    }
}

fn explain(error: &(dyn Error + 'static)) -> Flaw {
    // The only error of its own that the `config` crate has here is a top level of wrong type.
    if error.is::<Box<ConfigError>>() {
        return Flaw::new(None, "the top level is no table of sections");
    }
    yaml::explain(error).unwrap_or_else(|| Flaw::new(None, UNUSABLE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CANARY: &str = "canary";

    fn fails(format: Format, text: &str) -> Flaw {
        let flaw = format.parse(text).err();
        flaw.unwrap_or_else(|| panic!("{format:?} takes {text:.80}"))
    }

    #[test]
    fn extensions_name_the_format() {
        let check = |path: &str, expected: Option<Format>| {
            assert_eq!(Format::of(Path::new(path)), expected, "{path}");
        };
        check("a.toml", Some(Format::Toml));
        check("a/b.YAML", Some(Format::Yaml));
        check("a.yml", Some(Format::Yaml));
        check(".x.json", Some(Format::Json));
        check("a.ini", None);
        check("toml", None);
        check(".toml", None);
    }

    #[test]
    fn a_syntax_error_names_line_and_reason_but_no_text() {
        let check = |format: Format, text: &str, line: Option<usize>, reason: &str| {
            let flaw = fails(format, text);
            assert_eq!(flaw.line, line, "{text:?}: {flaw:?}");
            assert!(flaw.reason.contains(reason), "{text:?}: {flaw:?}");
            assert!(!format!("{flaw:?}").contains(CANARY), "{flaw:?}");
        };
        check(Format::Toml, "[a]\nb = canary", Some(2), "string values must be quoted");
        check(Format::Toml, "[a]\nb = \"canary\n", Some(2), "invalid basic string");
        check(Format::Toml, "[a\ncanary = 1", Some(1), "unclosed table");
        check(Format::Toml, "a = 1\ncanary = 1\ncanary = 2", Some(3), "duplicate key");
        check(Format::Toml, "[canary]\n[canary]", Some(2), "duplicate key");
        check(Format::Yaml, "a:\n  b: [canary", Some(2), "");
        check(Format::Yaml, "a: 1\ncanary: 1\ncanary: 2", Some(3), "a key stands twice");
        check(Format::Yaml, "a: \"canary", Some(1), "");
        check(Format::Yaml, "a: canary\n\tb: 1", Some(1), "a tab");
        check(Format::Yaml, "a: .inf", None, "out of range");
        check(Format::Yaml, "a: 1\n---\ncanary: 2", Some(2), "one document");
        check(Format::Yaml, "canary", None, "no table");
        check(Format::Yaml, "- canary", None, "no table");
        check(Format::Yaml, "a: &x 1\nb: *x", Some(2), "alias");
        check(Format::Json, "{\n\"a\": canary}", Some(2), "expected value");
        check(Format::Json, "{\"canary\": 1,\n\"canary\": 2}", Some(2), "a key stands twice");
        check(Format::Json, "{\"a\":{\"canary\":1,\"canary\":1}}", Some(1), "a key stands twice");
        check(Format::Json, "", Some(1), "EOF");
        check(Format::Json, "[\"canary\"]", None, "no table");
        check(Format::Json, "{\"a\": 1e999}", Some(1), "out of range");
    }

    #[test]
    fn an_empty_file_sets_nothing() {
        for (format, text) in [
            (Format::Toml, ""),
            (Format::Toml, "# nothing"),
            (Format::Yaml, ""),
            (Format::Yaml, "# nothing\n"),
            (Format::Json, "{}"),
        ] {
            assert!(format.parse(text).unwrap().is_empty(), "{format:?} {text:?}");
        }
    }

    /// Each of these overflows the stack, or fills the memory, of a parser that nobody guards.
    #[test]
    fn hostile_nesting_is_refused() {
        let dotted = "a.".repeat(70) + "a";
        let inline = format!("{{{dotted}=").repeat(70) + "1" + &"}".repeat(70);
        let long = 300_000;
        let laughs: String = (1..60)
            .map(|n| format!("a{n}: &a{n} [*a{}, *a{}]\n", n - 1, n - 1))
            .fold("a0: &a0 x\n".to_owned(), |all, next| all + &next);
        for (format, text) in [
            (Format::Toml, format!("{dotted} = {inline}")),
            (Format::Toml, format!("{dotted} = 1")),
            (Format::Toml, format!("[{dotted}]")),
            (Format::Toml, format!("a = {}", "[".repeat(long))),
            (Format::Toml, "a = {a=".to_owned() + &"{a=".repeat(long)),
            (Format::Yaml, "- ".repeat(long)),
            (Format::Yaml, "? ".repeat(long)),
            (Format::Yaml, "[".repeat(long)),
            (Format::Yaml, "{a: ".repeat(long)),
            (Format::Yaml, (0..100).fold(String::new(), |all, n| all + &" ".repeat(n) + "a:\n")),
            (Format::Yaml, laughs),
            (Format::Json, "[".repeat(long)),
            (Format::Json, "{\"a\":".repeat(long)),
        ] {
            let flaw = fails(format, &text);
            assert!(flaw.reason.len() < 120, "{flaw:?}");
        }
    }

    #[test]
    fn sensible_nesting_is_not() {
        for (format, text) in [
            (Format::Toml, "[a.b.c]\nd.e = 1.5\nf = [1.5, 2.5, 3.5]\n".to_owned()),
            (Format::Toml, "a = [\n".to_owned() + &"1.5,\n".repeat(100) + "]"),
            (Format::Toml, (0..100).fold(String::new(), |all, n| format!("{all}[a.b{n}]\n"))),
            (Format::Yaml, "a:\n  b:\n    c: [1, 2]\n".to_owned()),
            (Format::Json, "{\"a\":{\"b\":{\"c\":[1,{}]}}}".to_owned()),
        ] {
            assert!(format.parse(&text).is_ok(), "{format:?} {text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([a-b0-9.:\"'\\[\\]{}=,&*#!|>?~%@ \t\n-]|é|\\\\){0,60}") {
            for format in [Format::Toml, Format::Yaml, Format::Json] {
                let _ = format.parse(&text);
            }
        }

        #[test]
        fn a_broken_file_leaks_nothing(
            which in 0_usize..3, at in 0_usize..60, insert in "[\\[\\]{}\"':,=#&*!\\\\|\n\t-]{1,3}",
        ) {
            let (format, text) = [
                (Format::Toml, "[redis]\npassword = \"canary\"\nuser = 'canary'\n"),
                (Format::Yaml, "redis:\n  password: \"canary\"\n  user: canary\n"),
                (Format::Json, "{\"redis\": {\"password\": \"canary\", \"user\": \"canary\"}}"),
            ][which];
            let at = at.min(text.len());
            let broken = format!("{}{insert}{}", &text[..at], &text[at..]);
            if let Err(flaw) = format.parse(&broken) {
                prop_assert!(!format!("{flaw:?}").contains("anar"), "{:?}", flaw);
            }
            let cut = &text[..at];
            if let Err(flaw) = format.parse(cut) {
                prop_assert!(!format!("{flaw:?}").contains("anar"), "{:?}", flaw);
            }
        }
    }
}
