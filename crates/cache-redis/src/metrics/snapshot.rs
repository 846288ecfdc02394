//! The figures of a pool as values.

use std::time::Duration;

use super::histogram::upper_edge;
use crate::PoolStatus;

/// Many times, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TimeSummary {
    /// How many there were.
    pub count: u64,
    /// All of them together.
    pub total: Duration,
    counts: Vec<u64>,
}

impl TimeSummary {
    pub(super) fn new(counts: Vec<u64>, nanos: u64) -> Self {
        Self { count: counts.iter().sum(), total: Duration::from_nanos(nanos), counts }
    }

    /// Adds times of no length.
    pub(crate) fn with_none(mut self, number: u64) -> Self {
        self.count += number;
        if let Some(first) = self.counts.first_mut() {
            *first += number;
        }
        self
    }

    /// The mean, zero where there was none.
    pub fn mean(&self) -> Duration {
        u32::try_from(self.count).ok().map_or_else(
            || self.total / u32::MAX,
            |count| self.total.checked_div(count).unwrap_or_default(),
        )
    }

    /// The time that the given part of all does not go beyond, at most an eighth too long; zero
    /// where there was none. The part goes from 0 to 1.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank need not be exact"
    )]
    pub fn quantile(&self, part: f64) -> Duration {
        let rank = ((self.count as f64 * part.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut below = 0;
        let bucket = self.counts.iter().position(|count| {
            below += count;
            below >= rank
        });
        bucket.map_or(Duration::ZERO, upper_edge)
    }

    /// What came after an earlier summary of the same times.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |bucket: usize| earlier.counts.get(bucket).copied().unwrap_or_default();
        Self {
            count: self.count.saturating_sub(earlier.count),
            total: self.total.saturating_sub(earlier.total),
            counts: (self.counts.iter().enumerate())
                .map(|(bucket, count)| count.saturating_sub(before(bucket)))
                .collect(),
        }
    }
}

/// The figures of a pool since it was made, but for the status, which is of now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolSnapshot {
    /// The sockets of now.
    pub status: PoolStatus,
    /// Callers that gave up at their deadline while all was in use.
    pub exhausted: u64,
    /// Connections made.
    pub connected: u64,
    /// Attempts to connect that failed, by reason; those without any are left out.
    pub connect_failures: Vec<(&'static str, u64)>,
    /// Connections that the pool closed, by reason; those without any are left out.
    pub reaped: Vec<(&'static str, u64)>,
    /// Failures after which all connections were made anew.
    pub generations: u64,
    /// Commands that were not answered in time.
    pub timed_out: u64,
    /// Waits for a connection or for a place on a lane, those of no length included.
    pub wait: TimeSummary,
    /// The part of the waits that was for what others used: of those that began while as many
    /// connections were in use or kept for lanes as may be. The others count as of no length, since
    /// a larger `redis.pool.size` would not have made them shorter.
    pub queued: TimeSummary,
    /// How long exclusive connections were held.
    pub held: TimeSummary,
    /// Commands on lanes, from the call to the answer.
    pub lane_operations: TimeSummary,
    /// Commands on exclusive connections.
    pub exclusive_operations: TimeSummary,
    /// Exclusive connections that have been held for longer than `redis.pool.hold_limit`.
    pub leaked: usize,
}
