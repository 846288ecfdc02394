//! The store's contract on one server, behind Sentinels and on a cluster.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod conformance;
mod ends;
mod failovers;
mod histories;
mod load;
mod moves;
mod old_faults;
#[path = "../support/pools.rs"]
mod pools;
mod processes;
mod replicas;
mod restarts;
mod servers;
