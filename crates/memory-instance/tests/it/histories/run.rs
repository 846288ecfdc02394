//! The histories that every test run sees.

use memory_testkit::history::Config;

use super::runner;

#[test]
fn histories_of_memories_keep_every_acknowledged_message_and_true_sums() {
    let few = Config { histories: 32, steps: 24, ..Config::default() };
    runner::run(&few.overridden_by_environment().unwrap());
}
