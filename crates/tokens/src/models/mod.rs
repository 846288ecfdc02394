//! Which encoding and which framing a model uses.

mod find;
mod table;

pub(crate) use find::{find, names};
