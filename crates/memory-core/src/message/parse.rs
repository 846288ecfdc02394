//! The message itself.

use std::fmt;
use std::sync::Arc;

use super::error::MessageError;
use super::fields::{Content, ContentPart, Role, ToolCall};
use super::normal::{check_depth, normalise};
use super::wire;
use crate::limits::{LimitError, LimitKind, Limits};

/// One chat message, immutable and cheap to clone.
///
/// It keeps the wire form, unknown fields and all, and beside it the fields that matter here.
/// `Debug` shows sizes, never content.
///
/// # Examples
///
/// ```
/// use memory_core::{Limits, Message, Role};
///
/// let json = r#"{"role": "user", "content": "Hello", "mood": {"happy": true}}"#;
/// let message = Message::from_json(json, &Limits::default())?;
/// assert_eq!(message.role(), Role::User);
/// assert_eq!(message.as_json(), r#"{"role":"user","content":"Hello","mood":{"happy":true}}"#);
/// # Ok::<(), memory_core::MessageError>(())
/// ```
#[derive(Clone)]
pub struct Message(pub(super) Arc<Fields>);

/// How many times longer than its wire form a text may be: an escape takes up to six bytes for one,
/// and there may be blanks.
const MOST_PADDING: usize = 8;

pub(super) struct Fields {
    pub(super) json: Arc<str>,
    pub(super) role: Role,
    pub(super) content: Content,
    pub(super) name: Option<Box<str>>,
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) tool_call_id: Option<Box<str>>,
    /// How deep the JSON nests; none where nobody has looked yet.
    pub(super) depth: Option<usize>,
}

impl Message {
    /// Reads a message in the OpenAI wire form.
    ///
    /// Blanks between tokens and needless escapes are dropped; names, their order, numbers and
    /// unknown fields stay as they are. [`Limits::message_bytes`] holds for what is left; text
    /// above eight times that is refused unread.
    ///
    /// # Errors
    ///
    /// [`MessageError`] says what is wrong, without content.
    pub fn from_json(json: &str, limits: &Limits) -> Result<Self, MessageError> {
        if json.len() > limits.message_bytes.saturating_mul(MOST_PADDING) {
            limits.check(LimitKind::MessageBytes, json.len())?;
        }
        let depth = check_depth(json, limits)?;
        wire::check_syntax(json)?;
        let normal = normalise(json);
        limits.check(LimitKind::MessageBytes, normal.len())?;
        if !normal.starts_with('{') {
            return Err(MessageError::NotAnObject);
        }
        wire::read(&Arc::from(normal), Some(depth)).map(|fields| Self(Arc::new(fields)))
    }

    /// Reads a payload back that [`as_json`](Self::as_json) wrote, without copying it.
    ///
    /// # Errors
    ///
    /// [`MessageError`] where it is something else.
    #[expect(clippy::needless_pass_by_value, reason = "the message shares the payload")]
    pub fn from_payload(payload: Arc<str>) -> Result<Self, MessageError> {
        if !payload.starts_with('{') {
            return Err(MessageError::NotAnObject);
        }
        wire::read(&payload, None).map(|fields| Self(Arc::new(fields)))
    }

    /// The wire form: one JSON object without blanks between its tokens.
    pub fn as_json(&self) -> &str {
        &self.0.json
    }

    /// The wire form, shared.
    pub fn payload(&self) -> Arc<str> {
        Arc::clone(&self.0.json)
    }

    /// Refuses a message that is larger or deeper than the limits.
    ///
    /// # Errors
    ///
    /// [`LimitError`] names the limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use memory_core::{Limits, Message};
    ///
    /// let small = Limits { message_bytes: 30, ..Limits::default() };
    /// assert!(Message::user("").check(&small).is_ok());
    /// assert!(Message::user("more than that").check(&small).is_err());
    /// ```
    pub fn check(&self, limits: &Limits) -> Result<(), LimitError> {
        limits.check(LimitKind::MessageBytes, self.as_json().len())?;
        match self.0.depth {
            Some(depth) => limits.check(LimitKind::JsonDepth, depth),
            None => check_depth(self.as_json(), limits).map(drop),
        }
    }

    /// Who the message is from.
    pub fn role(&self) -> Role {
        self.0.role
    }

    /// What it says.
    pub fn content(&self) -> &Content {
        &self.0.content
    }

    /// The name of who it is from, where given.
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The calls that it makes to tools.
    pub fn tool_calls(&self) -> &[ToolCall] {
        &self.0.tool_calls
    }

    /// The call that it is the result of.
    pub fn tool_call_id(&self) -> Option<&str> {
        self.0.tool_call_id.as_deref()
    }

    /// Whether it has parts that are not text.
    pub fn has_media(&self) -> bool {
        self.content().parts().iter().any(|part| matches!(part, ContentPart::Media(_)))
    }

    /// Every text of the message that is counted, each by itself: role, content, name, and each
    /// call's function name and arguments.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let calls = self.tool_calls().iter().flat_map(|call| [call.name(), call.arguments()]);
        std::iter::once(self.role().as_str())
            .chain(self.content().texts())
            .chain(self.name())
            .chain(calls.flatten())
    }

    /// The bytes of all [`texts`](Self::texts).
    pub fn text_bytes(&self) -> usize {
        self.texts().map(str::len).sum()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("role", &self.role())
            .field("content", self.content())
            .field("tool_calls", &self.tool_calls().len())
            .field("json_bytes", &self.as_json().len())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Message {
    /// Two messages are equal where their wire forms are.
    fn eq(&self, other: &Self) -> bool {
        self.0.json == other.0.json
    }
}

impl Eq for Message {}

impl fmt::Display for Message {
    /// The wire form: this one does show content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

#[cfg(test)]
mod tests;
