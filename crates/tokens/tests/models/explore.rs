//! Running a model under many schedules.

use std::num::NonZeroUsize;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Schedules from each scheduler where nothing else is said.
const SCHEDULES: usize = 500;

/// So many times a schedule that goes by priorities lets another thread come first.
const SWITCHES: usize = 3;

/// Runs the model under schedules that switch anywhere, and under ones that switch seldom.
pub(crate) fn explore(model: fn()) {
    let schedules = match std::env::var("TURNLEDGER_SCHEDULES") {
        Ok(text) if !text.is_empty() => {
            let schedules: NonZeroUsize =
                text.parse().expect("TURNLEDGER_SCHEDULES is a number above 0");
            schedules.get()
        }
        _ => SCHEDULES,
    };
    run(RandomScheduler::new(schedules), model);
    run(PctScheduler::new(SWITCHES, schedules), model);
}

fn run(scheduler: impl Scheduler + 'static, model: fn()) {
    let mut config = Config::new();
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(model);
}
