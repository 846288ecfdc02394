//! One chat message, in the OpenAI wire form and as typed fields.

mod build;
mod error;
mod fields;
mod normal;
mod parse;
mod wire;

pub use build::MessageBuilder;
pub use error::MessageError;
pub use fields::{Content, ContentPart, ImageDetail, Media, MediaKind, Role, ToolCall};
pub use parse::Message;
