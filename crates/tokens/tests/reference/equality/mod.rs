//! Comparing counters with the reference over texts that are made to break them.

mod compare;
mod generator;
mod parts;

pub(crate) use compare::{Pair, Tried};
pub(crate) use generator::Generator;
