//! The thread that counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{CountError, Tally, TextCount};

use super::guard::guarded;
use super::hand::Hand;
use super::job::{Queued, Work};
use super::shared::Shared;

/// One worker. It is built without a thread, so that tests can run it where they like.
pub(super) struct Worker {
    shared: Arc<Shared>,
    index: usize,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, index: usize) -> Self {
        Self { shared, index }
    }

    /// The name of its thread.
    pub(super) fn name(index: usize) -> String {
        format!("turnledger-count-{index}")
    }

    /// Counts until the queue has come to its end.
    pub(super) fn run(self) {
        if self.index == 0 {
            self.shared.warm_up();
        }
        while let Some(work) = self.shared.queue.pop(|job| self.take_up(job)) {
            self.handle(&work);
        }
        self.shared.left.notify_waiters();
    }

    /// Counts one job if there is one.
    #[cfg(test)]
    pub(super) fn step(&self) -> bool {
        let work = self.shared.queue.try_pop(|job| self.take_up(job));
        work.map(|work| self.handle(&work)).is_some()
    }

    /// Whatever goes wrong in code that is not ours (a counter, a callback, a subscriber, a
    /// recorder), the worker lives on.
    fn handle(&self, work: &Work) {
        if guarded(|| self.count(work)).is_err() {
            // The unwinding may have left the result in the hand; dropping it gives it up.
            drop(self.hand().give_up());
        }
    }

    /// Shows the job in the hand from the moment on when it is no longer in the queue: a shutdown
    /// must find it in one of the two.
    fn take_up(&self, Queued { work, owed }: Queued) -> Work {
        self.hand().put(owed);
        work
    }

    fn hand(&self) -> &Hand {
        &self.shared.hands[self.index]
    }

    fn count(&self, work: &Work) {
        let shared = &*self.shared;
        shared.metrics.left_queue();
        if let Some(owed) = self.hand().take_abandoned() {
            shared.metrics.abandoned();
            owed.abandon();
            return;
        }
        shared.metrics.begun();
        let bytes = work.bytes();
        let (result, elapsed) = shared.timed(work);
        shared.metrics.ended();
        let Some(owed) = self.hand().take_counted() else {
            // A shutdown has given the job up meanwhile.
            return;
        };
        let conversation = owed.conversation();
        match &result {
            Ok(tally) => {
                shared.cost.learn(bytes, elapsed);
                shared.warmth.set_warm();
                shared.metrics.succeeded(bytes, tally.tokens, elapsed);
            }
            Err(error) => {
                shared.metrics.failed(matches!(error, CountError::Panicked { .. }), elapsed);
                shared.log_failure(self.index, conversation, error);
            }
        }
        owed.settle(result);
    }
}

impl Shared {
    /// Counts, catches panics, and takes the time.
    pub(super) fn timed(&self, work: &Work) -> (Result<Tally, CountError>, Duration) {
        let start = Instant::now();
        let result = guarded(|| match work {
            Work::Message(message) => {
                self.framing.tally(message, |text| self.counter.count_text(text))
            }
            Work::Text(text) => self.counter.count_text(text).map(TextCount::tally),
        });
        let elapsed = start.elapsed();
        let panicked = |_| Err(CountError::Panicked { counter: self.counter_id.clone() });
        (result.unwrap_or_else(panicked), elapsed)
    }
}
