//! One piece of input as a conversation.

use serde::Deserialize;
use serde_json::value::RawValue;
use turnledger::{Limits, Message};

use super::error::{InputError, at_message};
use super::turns;
use crate::args::ForcedFormat;

/// What one piece of input says.
#[derive(Debug)]
pub(super) struct Record {
    /// The conversation's own id, where it has one.
    pub(super) id: Option<String>,
    body: Body,
}

/// The list of messages, not read yet, and its form.
#[derive(Debug)]
enum Body {
    Messages(Box<RawValue>),
    Turns(Box<RawValue>),
}

/// The fields are kept raw: errors about their types would quote what they hold.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    conversations: Option<&'a RawValue>,
}

impl Record {
    /// Reads everything but the messages.
    pub(super) fn parse(text: &str, forced: Option<ForcedFormat>) -> Result<Self, InputError> {
        if !text.trim_start().starts_with('{') {
            let any: Result<&RawValue, _> = serde_json::from_str(text);
            return Err(any.map_or_else(syntax, |_| InputError::NotAnObject));
        }
        let fields: Fields<'_> = serde_json::from_str(text).map_err(syntax)?;
        let id = fields.id.filter(|raw| raw.get() != "null").map(|raw| {
            serde_json::from_str::<String>(raw.get()).map_err(|_| InputError::IdNotText)
        });
        let body = choose(&fields, forced)?;
        Ok(Self { id: id.transpose()?, body })
    }

    /// Reads the messages: all of them, or none.
    pub(super) fn messages(&self, limits: &Limits) -> Result<Vec<Message>, InputError> {
        let (list, key) = match &self.body {
            Body::Messages(list) => (list, "messages"),
            Body::Turns(list) => (list, "conversations"),
        };
        let raw: Vec<&RawValue> =
            serde_json::from_str(list.get()).map_err(|_| InputError::NotAList { key })?;
        let read = |raw: &RawValue| match &self.body {
            Body::Messages(_) => Message::from_json(raw.get(), limits).map_err(Into::into),
            Body::Turns(_) => turns::message(raw.get(), limits),
        };
        let numbered = raw.into_iter().enumerate();
        numbered.map(|(index, raw)| read(raw).map_err(|fault| at_message(index, fault))).collect()
    }
}

fn choose(fields: &Fields<'_>, forced: Option<ForcedFormat>) -> Result<Body, InputError> {
    let messages = || fields.messages.map(|raw| Body::Messages(raw.to_owned()));
    let turns = || fields.conversations.map(|raw| Body::Turns(raw.to_owned()));
    match forced {
        Some(ForcedFormat::Jsonl | ForcedFormat::Json) => {
            messages().ok_or(InputError::Missing { key: "messages" })
        }
        Some(ForcedFormat::Sharegpt) => turns().ok_or(InputError::Missing { key: "conversations" }),
        None => match (messages(), turns()) {
            (Some(_), Some(_)) => Err(InputError::Both),
            (Some(body), None) | (None, Some(body)) => Ok(body),
            (None, None) => Err(InputError::NoMessages),
        },
    }
}

fn syntax(source: serde_json::Error) -> InputError {
    // The piece may begin in the middle of its first line.
    let column = (source.line() > 1).then(|| source.column());
    InputError::Syntax { column, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, forced: Option<ForcedFormat>) -> Result<(Option<String>, usize), String> {
        let record = Record::parse(text, forced).map_err(|error| error.to_string())?;
        let messages = record.messages(&Limits::default()).map_err(|error| error.to_string())?;
        Ok((record.id, messages.len()))
    }

    #[test]
    fn both_forms_are_recognised() {
        let check = |text: &str, id: Option<&str>, messages: usize| {
            assert_eq!(read(text, None), Ok((id.map(str::to_owned), messages)), "{text}");
        };
        check(r#"{"id":"a","messages":[{"role":"user","content":"x"}]}"#, Some("a"), 1);
        check(r#"{"messages":[]}"#, None, 0);
        check(r#"{"id":null,"messages":[],"more":{"x":[1]}}"#, None, 0);
        check(r#"{"id":"\u0061b","conversations":[{"from":"gpt","value":"x"}]}"#, Some("ab"), 1);
    }

    #[test]
    fn what_is_wrong_is_said_without_content() {
        let check = |text: &str, expected: &str| {
            let error = read(text, None).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("hush"), "{error}");
        };
        check("", "not valid JSON");
        check("hush", "not valid JSON");
        check(r#""hush""#, "must be a JSON object");
        check(r#"[{"messages":[]}]"#, "must be a JSON object");
        check(r#"{"messages":[{"role":"user","content":"hush"}"#, "not valid JSON");
        check(r#"{"messages":[]} "hush""#, "not valid JSON");
        check(r#"{"messages":[],"messages":["hush"]}"#, "not valid JSON");
        check(r#"{"id":7,"messages":[]}"#, "`id` must be a text");
        check(r#"{"id":"a"}"#, "neither");
        check(r#"{"messages":[],"conversations":[]}"#, "--format");
        check(r#"{"messages":"hush"}"#, "`messages` must be an array");
        check(r#"{"messages":null}"#, "neither");
        check(r#"{"conversations":{"hush":1}}"#, "`conversations` must be an array");
        check(r#"{"messages":[{"role":"user","content":"ok"},{"content":"hush"}]}"#, "message 2");
    }

    #[test]
    fn a_forced_form_wins_and_must_be_there() {
        let both = r#"{"messages":[],"conversations":[{"from":"gpt","value":"x"}]}"#;
        assert_eq!(read(both, Some(ForcedFormat::Sharegpt)), Ok((None, 1)));
        assert_eq!(read(both, Some(ForcedFormat::Jsonl)), Ok((None, 0)));
        let error = read(r#"{"messages":[]}"#, Some(ForcedFormat::Sharegpt)).unwrap_err();
        assert!(error.contains("`conversations`"), "{error}");
    }
}
