//! Standard output.

mod text;
mod writer;

pub(crate) use text::{content, count, noun, plain, seconds, shell_word, table};
pub(crate) use writer::Output;
