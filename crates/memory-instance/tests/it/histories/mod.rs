//! Random histories of memories on one store: several writers, a queue that is too small, a
//! counter that fails, panics and hangs, sweeps, shutdowns, and the store killed and opened again.
//!
//! After each step every conversation is compared with what the receipts said. Which histories,
//! how many and how long, say the variables of [`memory_testkit::history::Config`].

mod check;
mod model;
mod runner;
mod step;
mod strategy;
mod world;
mod writers;

use memory_testkit::history::Config;

#[test]
fn histories_of_memories_keep_every_acknowledged_message_and_true_sums() {
    let few = Config { histories: 32, steps: 24, ..Config::default() };
    runner::run(&few.overridden_by_environment().unwrap());
}
