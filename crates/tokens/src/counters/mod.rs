//! What counts tokens exactly.

mod bpe;
mod encoding;

pub use bpe::BpeCounter;
