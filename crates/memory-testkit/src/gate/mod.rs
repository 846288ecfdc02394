//! Stores and counters that answer, fail, wait to be let through, or never answer.
//!
//! A [`Gate`] stands before or behind the calls of what it is put around. A test sets what it
//! does, waits until a call has [arrived](Gate::arrived), and lets it through or drops it there:
//! one line of a table of cancellation for each.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//! use memory_core::MemoryStore;
//! use memory_testkit::gate::{Answer, Gate, GatedStore, Place};
//! use memory_testkit::model::ModelStore;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let gate = Gate::new(Place::Before);
//! let store = Arc::new(GatedStore::new(Arc::new(ModelStore::default()), gate.clone()));
//! gate.set(Answer::Slow);
//! let probe = tokio::spawn(async move { store.probe().await });
//! gate.arrived(1).await;
//! assert!(!probe.is_finished());
//! gate.release();
//! assert!(probe.await?.is_ok());
//! # Ok::<(), tokio::task::JoinError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod barrier;
mod counters;
mod store;

pub use barrier::{Answer, Gate, Place, Refused};
pub use counters::{GatedCounter, GatedRemoteCounter};
pub use store::GatedStore;
