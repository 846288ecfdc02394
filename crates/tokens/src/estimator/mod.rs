//! Guessing the tokens of a text from its bytes.

mod automaton;
mod class;
mod estimate;
mod interval;
mod table;
mod weights;

pub use estimate::Estimator;
pub use interval::Interval;

#[cfg(test)]
mod tests;
