//! Standard output.

mod text;
mod writer;

pub(crate) use text::{content, plain, seconds, table};
pub(crate) use writer::Output;
