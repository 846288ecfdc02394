//! The queue, its workers and its shutdown under schedules that a scheduler chooses.
//!
//! The files of the pool are compiled here once more, with [`sync`] in the place of the crate's own
//! module of that name: locks, atomics, threads and time then belong to shuttle, which runs each
//! model many times and switches threads wherever they touch one another. A thread that waits for
//! ever is found as a deadlock. What fails is printed with a schedule that repeats it.
//!
//! `TURNLEDGER_SCHEDULES` sets how many schedules each model sees from each of the two schedulers.

#![expect(clippy::unwrap_used, reason = "a test may end where its own set-up fails")]
#![expect(dead_code, unreachable_pub, reason = "the models need not all of the pool")]

mod ends;
mod explore;
mod hung;
mod jobs;
mod metrics;
mod parts;
mod pool;
mod same;
mod shutdowns;
mod sync;
mod waits;

use tokens::{BuildError, Estimator, HungCount, LogLimit};

mod error {
    pub(crate) use super::{BuildError, HungCount};
}

mod estimator {
    pub(crate) use super::Estimator;
}

mod log_limit {
    pub(crate) use super::LogLimit;
}
