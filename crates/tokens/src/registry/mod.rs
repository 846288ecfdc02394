//! Counters by name.

mod counters;
mod entry;

pub use counters::{CounterRegistry, Resolved};
