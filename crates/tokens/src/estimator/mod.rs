//! Guessing the tokens of a text from its bytes.

mod automaton;
mod class;
mod estimate;
mod table;
mod weights;

pub use estimate::Estimator;

#[cfg(test)]
mod tests;
