//! What counts tokens exactly.

mod bpe;
mod cache;
mod characters;
mod cut;
mod encoding;
mod parts;
mod piece;
mod seams;
mod split;
mod vocabulary;

pub use bpe::BpeCounter;
pub(crate) use encoding::Encoding;
