//! The numbers of one pool at one time.

use std::time::Duration;

use super::summary::{DurationSummary, RatioSummary};

/// The numbers of one pool at one time.
///
/// They are read one after the other while the pool works, so a job that moves on meanwhile may
/// show in two of them or in none. Once the pool is idle,
/// `submitted = succeeded + failed + panicked + abandoned + given_up`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct TokenMetricsSnapshot {
    /// Jobs that were taken.
    pub submitted: u64,
    /// Jobs that workers counted.
    pub succeeded: u64,
    /// Jobs whose counter returned an error, or hung.
    pub failed: u64,
    /// Jobs whose counter panicked.
    pub panicked: u64,
    /// Jobs that were not counted because nobody waited for them any more.
    pub abandoned: u64,
    /// Jobs that were given up at the pool's end.
    pub given_up: u64,
    /// Jobs, of those that succeeded, that got the count which another job with the same texts had
    /// begun.
    pub shared: u64,
    /// Counts that took longer than they may. Their jobs are among the failed.
    pub hung: u64,
    /// Messages that were refused or lost once, and settled later.
    pub recovered: u64,
    /// Jobs that were refused because the queue was full.
    pub refused_full: u64,
    /// Jobs that were refused because the pool was shut down.
    pub refused_shut_down: u64,
    /// Messages that were counted at once, on the caller's thread.
    pub inline: u64,
    /// Counts at once that failed.
    pub inline_failed: u64,
    /// Jobs that wait in the queue.
    pub queue_depth: u64,
    /// Jobs that are being counted.
    pub in_hand: u64,
    /// Workers that hang, were replaced, and have not come back.
    pub detached_workers: u64,
    /// Bytes of text that were counted, by workers and at once.
    pub bytes: u64,
    /// Tokens that were counted, by workers and at once, framing included.
    pub tokens: u64,
    /// Texts whose counts the counter remembered, where a [`Cached`](crate::Cached) is in it. They
    /// are those of the counter's whole life, whoever had it count.
    pub cache_hits: u64,
    /// Texts that such a counter had to count.
    pub cache_misses: u64,
    /// Counts whose time was taken: all but those at once that failed.
    pub timed: u64,
    /// The time that these counts took, added up over all threads.
    pub total_duration: Duration,
    /// The time that each job waited for a worker.
    pub wait: DurationSummary,
    /// The time that each count took, by workers and at once.
    pub count: DurationSummary,
    /// The error of the estimate of what workers counted, as a ratio to the count: above zero where
    /// the estimate was too high.
    pub estimate_error: RatioSummary,
}

impl TokenMetricsSnapshot {
    /// Jobs that were refused, for either reason.
    pub const fn refused(&self) -> u64 {
        self.refused_full.saturating_add(self.refused_shut_down)
    }

    /// The mean time of a count; zero before the first.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokens::TokenMetricsSnapshot;
    ///
    /// assert_eq!(TokenMetricsSnapshot::default().average_duration(), Duration::ZERO);
    /// ```
    pub fn average_duration(&self) -> Duration {
        let total = u64::try_from(self.total_duration.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(total.checked_div(self.timed).unwrap_or_default())
    }

    /// The time that all counts took, in nanoseconds.
    pub fn total_duration_ns(&self) -> u64 {
        u64::try_from(self.total_duration.as_nanos()).unwrap_or(u64::MAX)
    }

    /// The mean time of a count, in whole nanoseconds.
    pub fn average_duration_ns(&self) -> u64 {
        u64::try_from(self.average_duration().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The mean time of a count, in whole milliseconds.
    pub fn average_duration_ms(&self) -> u64 {
        u64::try_from(self.average_duration().as_millis()).unwrap_or(u64::MAX)
    }
}
