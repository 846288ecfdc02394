//! What is written: messages that a number determines, and what counts them.

mod counter;
mod message;

pub(super) use counter::Counting;
pub(super) use message::{Content, Contents, Item};
