//! How long a part goes on, on every core at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{ChaosError, Outcome};

/// When a part has done enough.
#[derive(Debug, Clone, Copy)]
pub(super) enum Enough {
    /// After so many.
    Count(u64),
    /// After so long.
    Time(Duration),
}

/// What is left to do of a part, for all its threads.
#[derive(Debug)]
pub(super) struct Budget {
    enough: Enough,
    start: Instant,
    done: AtomicU64,
    cases: AtomicU64,
    failed: AtomicBool,
}

impl Budget {
    fn new(enough: Enough) -> Self {
        Self {
            enough,
            start: Instant::now(),
            done: AtomicU64::new(0),
            cases: AtomicU64::new(0),
            failed: AtomicBool::new(false),
        }
    }

    /// Whether there is something left to do.
    pub(super) fn goes_on(&self) -> bool {
        let enough = match self.enough {
            Enough::Count(count) => self.done.load(Ordering::Relaxed) >= count,
            Enough::Time(time) => self.start.elapsed() >= time,
        };
        !enough && !self.failed.load(Ordering::Relaxed)
    }

    /// Notes that something was done.
    pub(super) fn spend(&self, count: u64) {
        self.done.fetch_add(count, Ordering::Relaxed);
    }

    /// What was done.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }
}

/// How many threads work on a part.
pub(super) fn lanes() -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(8)
}

/// Runs cases until enough was done, on every core, and adds up what they return.
///
/// Cases are numbered, so that the seed and the number draw the same case again.
pub(super) fn run<T: Default + Send>(
    enough: Enough,
    add: fn(&mut T, T),
    case: impl Fn(u64, &Budget) -> Outcome<T> + Sync,
) -> Outcome<(T, u64)> {
    let budget = Budget::new(enough);
    let lane = || -> Outcome<T> {
        let mut sum = T::default();
        while budget.goes_on() {
            let number = budget.cases.fetch_add(1, Ordering::Relaxed);
            let done = case(number, &budget);
            let failed = |_: &ChaosError| budget.failed.store(true, Ordering::Relaxed);
            add(&mut sum, done.inspect_err(failed)?);
        }
        Ok(sum)
    };
    let mut sum = T::default();
    thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes()).map(|_| scope.spawn(lane)).collect();
        // Every lane is waited for, also where the first has failed.
        let results: Vec<_> = lanes.into_iter().map(thread::ScopedJoinHandle::join).collect();
        for result in results {
            add(&mut sum, result.unwrap_or(Err(ChaosError::Panicked))?);
        }
        Ok((sum, budget.done()))
    })
}

/// The seed of a case.
pub(super) fn case_seed(seed: u64, part: u64, case: u64) -> u64 {
    // Far apart, so that no two cases of a run are drawn alike.
    fastrand::Rng::with_seed(seed ^ part.rotate_right(8) ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .u64(..)
}
