//! Splits text into the pieces that are merged apart from each other.
//!
//! The encodings define the pieces by regular expressions. What is here finds the same ends by
//! looking at each character once or twice, alternative by alternative in the order of the pattern.

mod block;
mod cl100k;
mod classes;
mod o200k;
mod text;

#[cfg(test)]
mod tests;

pub(super) use cl100k::Cl100k;
pub(super) use o200k::O200k;
pub(super) use text::{Pattern, Text};
