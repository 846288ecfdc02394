//! Servers that really run, and a network that really fails.
#![expect(clippy::unwrap_used, reason = "tests panic on what must not happen")]

mod faults;
mod limits;
mod orphans;
mod servers;
mod support;
mod topologies;
