//! What is wrong with a message.

use std::error::Error;

use crate::limits::LimitError;

/// A message that cannot be read. No variant carries content of the message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The text is not JSON.
    #[error("the message is not valid JSON")]
    Syntax {
        /// Where and why, as the JSON parser says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The JSON is not an object.
    #[error(
        "the message must be a JSON object with a role, such as {{\"role\":\"user\",\"content\":\"…\"}}"
    )]
    NotAnObject,
    /// There is no role.
    #[error(
        "the message has no role; give one of system, developer, user, assistant, tool, function"
    )]
    MissingRole,
    /// The role is none of the wire form's.
    #[error("unknown role `{role}`; use system, developer, user, assistant, tool or function")]
    UnknownRole {
        /// The word that was found, at most 32 characters of it.
        role: String,
    },
    /// A field has another type than the wire form says.
    #[error("field `{field}` must be {expected}")]
    WrongType {
        /// The field's path, such as `tool_calls[1].function.name`.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A field that was to be added is not JSON, or is one that the builder sets itself.
    #[error("field `{field}` cannot be set: {reason}")]
    Field {
        /// The field's name.
        field: String,
        /// Why not.
        reason: &'static str,
    },
    /// The message is larger or deeper than its limit.
    #[error("the message is too large: {0}")]
    Limit(#[from] LimitError),
}
