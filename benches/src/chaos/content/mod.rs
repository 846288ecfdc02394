//! What is written: messages that a number determines, and what counts them.

mod counter;
mod message;

pub(super) use counter::{Counting, Gate};
pub(super) use message::{Content, Contents, Item};
