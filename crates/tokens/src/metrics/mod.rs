//! What a counting pool did, typed and through the `metrics` facade.
//!
//! [`TokenMetrics::snapshot`](crate::TokenMetrics::snapshot) returns the numbers of one pool. The same numbers are published under
//! the names in [`names`], with the label `counter`: pools with the same counter add up there. They
//! go to the recorder that is installed when the pool is built; this crate installs none.

mod describe;
mod histogram;
pub mod names;
mod published;
pub(crate) mod scale;
pub(crate) mod snapshot;
pub(crate) mod summary;
pub(crate) mod token_metrics;

pub use describe::describe;

#[cfg(test)]
mod tests;
