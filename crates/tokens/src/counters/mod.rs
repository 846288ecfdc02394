//! What counts tokens exactly.

mod bpe;
mod cache;
mod cut;
mod encoding;
mod piece;
mod seams;
mod split;
mod vocabulary;

pub use bpe::BpeCounter;
pub(crate) use encoding::Encoding;
