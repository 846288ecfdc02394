//! What a memory promises, on the model of a store and on the embedded one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod appends;
mod background;
mod cancellation;
mod counters;
mod durability;
mod fallbacks;
mod histories;
mod interactions;
mod lifecycle;
mod order;
mod pages;
mod provider;
mod still;
mod support;
mod swaps;
mod sweeps;
mod table;
mod windows;
