//! Counting at once, on the thread of the caller, where that is cheap and safe.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use memory_core::{CountError, Message, Tally};

use super::handle::AsyncTokenCounter;
use super::job::Work;
use super::shared::Shared;

/// The most bytes of text that are counted at once, whatever they are expected to cost.
pub const INLINE_MAX_BYTES: usize = 2048;

/// So many panics and errors switch counting at once off.
const STRIKES: u8 = 3;

/// Whether counting at once is allowed.
#[derive(Debug)]
pub(super) struct Inline {
    safe: bool,
    strikes: AtomicU8,
}

impl Inline {
    /// `safe` is what the counter declares.
    pub(super) fn new(safe: bool) -> Self {
        Self { safe, strikes: AtomicU8::new(0) }
    }

    fn is_on(&self) -> bool {
        self.safe && self.strikes.load(Ordering::Relaxed) < STRIKES
    }

    /// Whether this strike is the one that switches it off.
    fn strike(&self) -> bool {
        // Once off it stays off, so the number is left alone from there on.
        let count = |strikes| (strikes < STRIKES).then_some(strikes + 1);
        let before = self.strikes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        before == Ok(STRIKES - 1)
    }
}

impl AsyncTokenCounter {
    /// Counts a message on this thread, if it can surely be done within the budget.
    ///
    /// None means: estimate it, and have it counted in the background. A message is counted only
    /// where
    ///
    /// - the counter declares itself [`inline_safe`](memory_core::TokenCounter::inline_safe) and
    ///   has counted something before, so that its vocabulary is loaded,
    /// - its texts have at most [`INLINE_MAX_BYTES`] bytes,
    /// - the expected time, learned from earlier counts of texts about as long (the 90th percentile
    ///   for each byte, times the bytes), is within `budget`,
    /// - fewer than three counts at once have failed, and the pool is not shut down.
    ///
    /// A panic or an error of the counter gives none too. The third switches counting at once off
    /// for this pool.
    pub fn count_inline(&self, message: &Message, budget: Duration) -> Option<Tally> {
        let shared = self.shared();
        let bytes = message.text_bytes();
        let allowed = bytes <= INLINE_MAX_BYTES
            && shared.inline.is_on()
            && shared.warmth.is_warm()
            && shared.queue.is_open()
            && shared.cost.expected(bytes).is_some_and(|expected| expected <= budget);
        if allowed { shared.count_now(message, bytes) } else { None }
    }

    /// Whether counting at once has been switched off by three failures.
    pub fn is_inline_off(&self) -> bool {
        self.shared().inline.strikes.load(Ordering::Relaxed) >= STRIKES
    }
}

impl Shared {
    fn count_now(&self, message: &Message, bytes: usize) -> Option<Tally> {
        let work = Work::Message(message.clone());
        let (result, elapsed) = self.timed(&work, None);
        match result {
            Ok(sum) => {
                let tally = self.tally(&work, sum);
                self.metrics.counted_inline(bytes, tally.tokens, elapsed);
                Some(tally)
            }
            Err(error) => {
                self.metrics.failed_inline();
                if self.inline.strike() {
                    let (counter, strikes) = (self.counter_id.as_str(), STRIKES);
                    let panicked = matches!(error, CountError::Panicked { .. });
                    tracing::error!(
                        counter,
                        strikes,
                        panicked,
                        "counting at once failed too often and is switched off"
                    );
                }
                None
            }
        }
    }
}
