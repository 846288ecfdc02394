//! Counting with patience: what a counter fails on is tried again, and then given up.

use std::time::Duration;

use memory_core::{CountError, FinalReason, Message, Tally};
use metrics::counter;
use tokens::AsyncTokenCounter;

use crate::metrics::names;

/// How often a counter may fail on a message before its tally is final.
pub(super) const ATTEMPTS: u32 = 3;

/// What a message is charged that its counter fails on: as much as it can have, if that is known.
pub(super) fn last_resort(pool: &AsyncTokenCounter, message: &Message) -> u64 {
    pool.upper_bound(message).unwrap_or_else(|| pool.estimate(message).tokens)
}

/// Counts a message, up to three times if the counter fails.
///
/// None where there is no answer now: the pool is shut down, or takes too long.
pub(super) async fn count_patiently(
    pool: &AsyncTokenCounter,
    message: &Message,
    deadline: Duration,
) -> Option<Tally> {
    for _ in 0..ATTEMPTS {
        match pool.tally(message, deadline).await {
            Ok(tally) => return Some(tally),
            Err(CountError::Failed { .. } | CountError::Panicked { .. }) => {}
            Err(_) => return None,
        }
    }
    counter!(names::GIVEN_UP).increment(1);
    Some(Tally::final_because(last_resort(pool, message), FinalReason::Failed))
}
