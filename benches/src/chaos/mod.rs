//! Chaos: a store is killed, loses power, meets failing disks and random histories, and must keep
//! its promises.
//!
//! Each part of a run draws what it does from one seed, compares what the store holds with what it
//! acknowledged, and ends at the first difference:
//!
//! - *kills*: a writing process is killed at a random moment;
//! - *losses*: a simulated disk forgets and tears what was not synced;
//! - *faults*: the disk fails at some input or output, and files are truncated or overwritten;
//! - *histories*: random operations, each answer compared with a model's;
//! - *responsiveness*: a ticker stays on time while all cores count.

mod budget;
mod cli;
mod content;
mod error;
mod expect;
mod histories;
mod kills;
mod power;
mod record;
mod report;
mod responsiveness;
mod say;
mod writer;

pub use cli::main;
pub use error::ChaosError;
