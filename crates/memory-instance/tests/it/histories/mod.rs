//! Random histories of memories on one store: several writers, a queue that is too small, a
//! counter that fails, panics and hangs, sweeps, shutdowns, and the store killed and opened again.
//!
//! After each step every conversation is compared with what the receipts said. Which histories,
//! how many and how long, say the variables of [`memory_testkit::history::Config`].

mod check;
mod model;
mod run;
mod runner;
mod step;
mod strategy;
mod world;
mod writers;
