//! Conformance suites, a model and faults for stores and counters of Turnledger. For tests only.
//!
//! - [`store`]: what every [`MemoryStore`](memory_core::MemoryStore) promises, one function for
//!   each behaviour.
//! - [`counter`]: the same for every [`TokenCounter`](memory_core::TokenCounter).
//! - [`model`]: the ledger in its plainest form, which answers what a store must answer.
//! - [`history`]: random operations on a store, each answer compared with the model's.
//! - [`gate`]: stores and counters that answer, fail, wait to be let through, or never answer.
//! - [`sample`]: messages to write.
//!
//! # Examples
//!
//! A test of a store of your own, in `tests/` of its crate:
//!
//! ```
//! use std::sync::Arc;
//! use memory_testkit::{model::ModelStore, store};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! // Your store stands here instead of the model.
//! store::all(async || store::Subject::new(Arc::new(ModelStore::default()))).await
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod counter;
pub mod gate;
pub mod history;
pub mod model;
pub mod sample;
pub mod store;
mod verdict;

pub use verdict::{Failures, Verdict, Violation};
