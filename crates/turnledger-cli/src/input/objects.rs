//! JSON lines whose texts are counted.

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use turnledger::{Limits, Message};

use super::bytes::{Beginning, Bytes};
use super::error::{InputError, at_message};
use super::lines::next_line;
use super::source::{self, SourceName};

/// The longest line, in bytes: it is held in memory.
const LONGEST: usize = 256 << 20;

/// What is to be counted of a line.
#[derive(Debug)]
pub(crate) enum Object {
    /// A text by itself.
    Text(String),
    /// Messages as they are sent to a model.
    Messages(Vec<Message>),
}

/// A line that is not blank, with its number from 1.
pub(crate) struct Line {
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Reads a source, line by line.
pub(crate) struct Lines {
    bytes: Bytes<Box<dyn BufRead>>,
    begun: bool,
}

impl Lines {
    /// Opens a source; returns the name that errors call it, too.
    pub(crate) fn open(path: &Path) -> (Arc<str>, Result<Self, InputError>) {
        let name = SourceName::of(path).shown;
        let opened = source::open(path);
        (name, opened.map(|reader| Self { bytes: Bytes::new(reader), begun: false }))
    }

    /// The next line; none at the end. An error comes with the number of its line.
    pub(crate) fn next(&mut self) -> Option<Result<Line, (u64, InputError)>> {
        if !self.begun {
            self.begun = true;
            match self.bytes.beginning() {
                Ok(Beginning::Utf16) => return Some(Err((1, InputError::Utf16))),
                Ok(_) => {}
                Err(source) => return Some(Err((1, InputError::Read { source }))),
            }
        }
        let raw = next_line(&mut self.bytes, LONGEST)?;
        let number = raw.line;
        Some(raw.bytes.map(|bytes| Line { number, bytes }).map_err(|error| (number, error)))
    }
}

/// The fields are kept raw: errors about their types would quote what they hold.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
}

impl Line {
    /// Reads what is to be counted.
    pub(crate) fn object(&self, limits: &Limits) -> Result<Object, InputError> {
        let text = str::from_utf8(&self.bytes)
            .map_err(|error| InputError::NotUtf8 { byte: error.valid_up_to() + 1 })?;
        let syntax = |source: serde_json::Error| InputError::Syntax {
            column: Some(source.column()),
            source,
        };
        if !text.trim_start().starts_with('{') {
            let any: Result<&RawValue, _> = serde_json::from_str(text);
            return Err(any.map_or_else(syntax, |_| InputError::NotAnObject));
        }
        let fields: Fields<'_> = serde_json::from_str(text).map_err(syntax)?;
        let given = |field: Option<&'_ RawValue>| field.is_some_and(|raw| raw.get() != "null");
        match (fields.text, fields.messages) {
            (text, messages) if given(text) && given(messages) => Err(InputError::TextAndMessages),
            (Some(text), _) if given(Some(text)) => serde_json::from_str(text.get())
                .map(Object::Text)
                .map_err(|_| InputError::TextNotText),
            (_, Some(messages)) if given(Some(messages)) => {
                let raw: Vec<&RawValue> = serde_json::from_str(messages.get())
                    .map_err(|_| InputError::NotAList { key: "messages" })?;
                let read = |(index, raw): (usize, &RawValue)| {
                    Message::from_json(raw.get(), limits).map_err(|fault| at_message(index, fault))
                };
                raw.into_iter()
                    .enumerate()
                    .map(read)
                    .collect::<Result<_, _>>()
                    .map(Object::Messages)
            }
            _ => Err(InputError::NoText),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Object, String> {
        let line = Line { number: 1, bytes: text.as_bytes().to_vec() };
        line.object(&Limits::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_is_a_text_or_messages() {
        let text = |line: &str| match read(line) {
            Ok(Object::Text(text)) => text,
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(text(r#"{"text":"a\nb","more":[1,{"text":2}]}"#), "a\nb");
        assert_eq!(text(r#" {"text":"","messages":null}"#), "");
        let messages = |line: &str| match read(line) {
            Ok(Object::Messages(messages)) => messages.len(),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(messages(r#"{"messages":[]}"#), 0);
        assert_eq!(messages(r#"{"messages":[{"role":"user","content":"x"}],"text":null}"#), 1);
    }

    #[test]
    fn what_is_wrong_is_said_without_content() {
        let check = |line: &str, expected: &str| {
            let error = read(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
            assert!(!error.contains("hush"), "{error}");
        };
        check("hush", "not valid JSON, at column 1");
        check(r#"["hush"]"#, "must be a JSON object");
        check(r#"{"text":"hush""#, "not valid JSON");
        check("{}", "neither `text` nor `messages`");
        check(r#"{"text":null}"#, "neither");
        check(r#"{"text":["hush"]}"#, "`text` must be a text");
        check(r#"{"text":"hush","messages":[]}"#, "both `text` and `messages`");
        check(r#"{"messages":"hush"}"#, "`messages` must be an array");
        check(r#"{"messages":[{"content":"hush"}]}"#, "message 1");
    }
}
