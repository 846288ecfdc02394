//! Conversations from files and standard input.
//!
//! A source is read piece by piece: a line, or one element of an array. Each piece becomes a
//! [`Conversation`] whose messages are all valid, or a [`BadInput`] that says where and why.

mod bytes;
mod elements;
mod error;
mod lines;
mod messages;
mod objects;
mod reader;
mod record;
mod source;
mod stream;
mod texts;
mod thread;
mod turns;

pub(crate) use error::{BadInput, InputError, Place};
pub(crate) use messages::messages_of_standard_input;
pub(crate) use objects::{Line, Lines, Object};
pub(crate) use reader::Conversation;
pub(crate) use stream::{Stream, stream};
pub(crate) use texts::Texts;
pub(crate) use thread::on_thread;
