//! The layer of a settings file.

mod flatten;
mod format;
mod json;
mod read;
mod toml;
mod yaml;

pub(crate) use read::{read_first, read_named};
