//! Chaos: a store is killed, loses power, meets failing disks and random histories, and must keep
//! its promises.
//!
//! Each part of a run draws what it does from one seed, compares what the store holds with what it
//! acknowledged, and ends at the first difference. What is counted afterwards has to be exact.
//!
//! The embedded store:
//!
//! - *kills*: a writing process is killed at a random moment;
//! - *losses*: a simulated disk forgets and tears what was not synced;
//! - *faults*: the disk fails at some input or output, and files are truncated or overwritten;
//! - *histories*: random operations, each answer compared with a model's;
//! - *responsiveness*: a ticker stays on time while all cores count.
//!
//! The store on Redis, with real servers that the harness starts:
//!
//! - *cuts*: the reply to each kind of operation is cut at every byte;
//! - *kills*: a writing process is killed while the server lives;
//! - *servers*: the server is killed, and comes back with all, with most or with nothing of what it
//!   had, while the process that wrote to it lives and goes on;
//! - *pauses*, *flushes*, *memory*: the server stands still, forgets its scripts, or has no memory;
//! - *crowds*: two processes with 32 writers each, on one conversation and on many;
//! - *sentinel*, *cluster*: replicas take the place of masters, killed or well, while all write.
//!
//! What acknowledged appends a fail-over loses, and a server that does not sync each write, is
//! counted and printed: nothing promises them. Everything else is promised there, too.

#[cfg(test)]
mod broken;
mod budget;
mod cli;
mod content;
mod error;
mod expect;
mod histories;
mod kills;
mod place;
mod power;
mod record;
mod redis;
mod report;
mod responsiveness;
mod say;
mod session;
mod writer;

pub use cli::main;
pub use error::ChaosError;
