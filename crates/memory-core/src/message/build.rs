//! Messages made in code.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::error::MessageError;
use super::fields::{Content, ImageDetail, Role, ToolCall};
use super::parse::{Fields, Message};
use crate::limits::Limits;

impl Message {
    /// A system message.
    pub fn system(text: impl Into<String>) -> Self {
        plain(Role::System, text.into())
    }

    /// A developer message.
    pub fn developer(text: impl Into<String>) -> Self {
        plain(Role::Developer, text.into())
    }

    /// A user message.
    pub fn user(text: impl Into<String>) -> Self {
        plain(Role::User, text.into())
    }

    /// An assistant message without tool calls.
    pub fn assistant(text: impl Into<String>) -> Self {
        plain(Role::Assistant, text.into())
    }

    /// An assistant message that says nothing and calls tools.
    pub fn assistant_calling(calls: impl IntoIterator<Item = ToolCall>) -> Self {
        let tool_calls: Vec<_> = calls.into_iter().collect();
        let json = object(Role::Assistant, |json| {
            json.push_str(",\"content\":null");
            push_calls(json, &tool_calls);
        });
        Self(Arc::new(Fields { tool_calls, ..empty(Role::Assistant, json) }))
    }

    /// The result of the tool call that has this id.
    pub fn tool(call_id: impl Into<String>, text: impl Into<String>) -> Self {
        let (call_id, text) = (call_id.into(), text.into());
        let json = object(Role::Tool, |json| {
            push_text(json, "tool_call_id", &call_id);
            push_text(json, "content", &text);
        });
        Self(Arc::new(Fields {
            content: Content::Text(text.into()),
            tool_call_id: Some(call_id.into()),
            depth: Some(1),
            ..empty(Role::Tool, json)
        }))
    }

    /// Begins a message with more than one text in it.
    pub fn builder(role: Role) -> MessageBuilder {
        MessageBuilder {
            role,
            parts: Vec::new(),
            text: None,
            calls: Vec::new(),
            fields: Vec::new(),
        }
    }
}

/// Builds a message field by field.
///
/// # Examples
///
/// ```
/// use memory_core::{ImageDetail, Limits, Message, Role};
///
/// let message = Message::builder(Role::User)
///     .text_part("What is this?")
///     .image_part("https://example.com/cat.png", ImageDetail::Low)
///     .name("ada")
///     .field("metadata", r#"{"source": "web"}"#)
///     .build(&Limits::default())?;
/// assert!(message.has_media());
/// # Ok::<(), memory_core::MessageError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct MessageBuilder {
    role: Role,
    text: Option<String>,
    parts: Vec<String>,
    calls: Vec<ToolCall>,
    fields: Vec<(String, String)>,
}

impl MessageBuilder {
    /// Sets the content to one text. Content is either this or parts.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Adds a part of text.
    pub fn text_part(mut self, text: impl AsRef<str>) -> Self {
        self.parts.push(format!(r#"{{"type":"text","text":{}}}"#, quoted(text.as_ref())));
        self
    }

    /// Adds an image, by its URL.
    pub fn image_part(mut self, url: impl AsRef<str>, detail: ImageDetail) -> Self {
        let (url, detail) = (quoted(url.as_ref()), detail.as_str());
        let image = format!(r#"{{"url":{url},"detail":"{detail}"}}"#);
        self.parts.push(format!(r#"{{"type":"image_url","image_url":{image}}}"#));
        self
    }

    /// Sets the name of who the message is from.
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.fields.push(("name".into(), quoted(name.as_ref())));
        self
    }

    /// Adds a call to a tool.
    pub fn tool_call(mut self, call: ToolCall) -> Self {
        self.calls.push(call);
        self
    }

    /// Sets the call that the message is the result of.
    pub fn tool_call_id(mut self, id: impl AsRef<str>) -> Self {
        self.fields.push(("tool_call_id".into(), quoted(id.as_ref())));
        self
    }

    /// Adds a field that this crate does not know, as JSON; it counts 0 tokens.
    pub fn field(mut self, name: impl Into<String>, json: impl Into<String>) -> Self {
        self.fields.push((name.into(), json.into()));
        self
    }

    /// Checks everything and makes the message.
    ///
    /// # Errors
    ///
    /// [`MessageError`] where text and parts are both given, a field is no JSON or given twice,
    /// or a limit is passed.
    pub fn build(self, limits: &Limits) -> Result<Message, MessageError> {
        let refuse =
            |field: &str, reason| Err(MessageError::Field { field: field.to_owned(), reason });
        if self.text.is_some() && !self.parts.is_empty() {
            return refuse("content", "it has one text and parts as well; give one of the two");
        }
        for (name, json) in &self.fields {
            if matches!(name.as_str(), "role" | "content" | "tool_calls") {
                return refuse(name, "the builder has a method of its own for it");
            }
            if serde_json::from_str::<&RawValue>(json).is_err() {
                return refuse(name, "its value is not valid JSON");
            }
            if self.fields.iter().filter(|(other, _)| other == name).count() > 1 {
                return refuse(name, "it is given twice");
            }
        }
        let json = object(self.role, |json| {
            match &self.text {
                Some(text) => push_text(json, "content", text),
                None if self.parts.is_empty() => json.push_str(",\"content\":null"),
                None => push_field(json, "content", &format!("[{}]", self.parts.join(","))),
            }
            push_calls(json, &self.calls);
            for (name, value) in &self.fields {
                push_field(json, name, value);
            }
        });
        Message::from_json(&json, limits)
    }
}

impl std::fmt::Debug for MessageBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageBuilder").field("role", &self.role).finish_non_exhaustive()
    }
}

fn plain(role: Role, text: String) -> Message {
    let json = object(role, |json| push_text(json, "content", &text));
    Message(Arc::new(Fields {
        content: Content::Text(text.into()),
        depth: Some(1),
        ..empty(role, json)
    }))
}

fn empty(role: Role, json: String) -> Fields {
    Fields {
        json: json.into(),
        role,
        content: Content::Empty,
        name: None,
        tool_calls: Vec::new(),
        tool_call_id: None,
        depth: None,
    }
}

fn object(role: Role, fill: impl FnOnce(&mut String)) -> String {
    let mut json = format!(r#"{{"role":"{role}""#);
    fill(&mut json);
    json.push('}');
    json
}

fn push_field(json: &mut String, name: &str, value: &str) {
    json.push(',');
    json.push_str(&quoted(name));
    json.push(':');
    json.push_str(value);
}

fn push_text(json: &mut String, name: &str, text: &str) {
    push_field(json, name, &quoted(text));
}

fn push_calls(json: &mut String, calls: &[ToolCall]) {
    if calls.is_empty() {
        return;
    }
    let calls: Vec<_> = calls
        .iter()
        .map(|call| {
            let text = |text: Option<&str>| quoted(text.unwrap_or_default());
            let (id, name, arguments) =
                (text(call.id()), text(call.name()), text(call.arguments()));
            let function = format!(r#"{{"name":{name},"arguments":{arguments}}}"#);
            format!(r#"{{"id":{id},"type":"function","function":{function}}}"#)
        })
        .collect();
    push_field(json, "tool_calls", &format!("[{}]", calls.join(",")));
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_what_its_wire_form_reads_as() {
        let call = ToolCall::function("c\"1", "look_up", r#"{"q":"tide"}"#);
        for message in [
            Message::system("be \"brief\"\n"),
            Message::developer("d"),
            Message::user(""),
            Message::assistant("a\u{1}"),
            Message::assistant_calling([call.clone(), call]),
            Message::tool("c\"1", "é"),
        ] {
            let read = Message::from_json(message.as_json(), &Limits::default()).unwrap();
            assert_eq!(read, message);
            assert_eq!(read.0.content, message.0.content);
            assert_eq!(read.0.tool_calls, message.0.tool_calls);
            assert_eq!(read.0.tool_call_id, message.0.tool_call_id);
            if message.0.depth.is_some() {
                assert_eq!(read.0.depth, message.0.depth);
            }
        }
    }

    #[test]
    fn a_builder_refuses_what_contradicts_itself() {
        let check = |builder: MessageBuilder, expected: &str| {
            let error = builder.build(&Limits::default()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        let user = || Message::builder(Role::User);
        check(user().text("a").text_part("b"), "`content`");
        check(user().field("content", "1"), "`content`");
        check(user().field("x", "{"), "`x`");
        check(user().name("a").name("b"), "`name`");
    }
}
