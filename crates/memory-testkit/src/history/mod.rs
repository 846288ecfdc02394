//! Random histories of a store, each answer compared with the model's.
//!
//! A history is a list of [`Step`]s: appends of batches with new, known and conflicting ids,
//! settles that come late, twice, or with a wrong epoch, fingerprint or expectation, trims, drops,
//! clears, expiry, reads, sweeps, and the store closed in the middle and opened again. After every
//! write the whole conversation is compared with the [model](crate::model).
//!
//! [`run`] draws histories from a seed. Where one fails, it looks for the shortest that still
//! does, and the error has that one with the seed.
//!
//! # Examples
//!
//! In `tests/` of a store's crate, with the number of histories and the seed from the
//! environment:
//!
//! ```
//! use std::sync::Arc;
//! use memory_core::{ManualClock, Timestamp};
//! use memory_testkit::{history, model::ModelStore, store::Subject};
//!
//! let few = history::Config { histories: 20, ..history::Config::default() };
//! history::run(&few.overridden_by_environment()?, async || {
//!     let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000)));
//!     Subject::new(Arc::new(ModelStore::new(clock.clone()))).clock(clock)
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compare;
mod config;
mod drive;
mod reads;
mod runner;
mod step;
mod strategy;
mod world;
mod writes;

pub use config::{Config, ConfigError};
pub use runner::{Failure, Reopen, Report, run};
pub use step::{Draft, DraftTally, EpochOf, Kind, Pick, Stale, Step};
