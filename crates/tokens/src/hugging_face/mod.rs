//! Counting by a model's own `tokenizer.json`.

mod counter;
mod file;

pub use counter::HuggingFaceCounter;

#[cfg(test)]
mod tests;
