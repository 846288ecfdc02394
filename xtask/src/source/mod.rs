//! Rust source as the rules look at it: syntax, tokens, and which lines are tests.

mod file;
mod test_code;
mod tokens;

pub(crate) use file::{RustFile, parse_all};
pub(crate) use tokens::each_sequence;
