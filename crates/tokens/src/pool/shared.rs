//! What handles and workers share.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use memory_core::{CountError, CounterId, Framing, TokenCounter};
use tokio::sync::Notify;

use super::cost::CostModel;
use super::desk::Ended;
use super::hand::Hung;
use super::idle::Zero;
use super::inline::Inline;
use super::queue::Queue;
use super::warm::Warmth;
use super::watch::Rest;
use crate::estimator::Estimator;
use crate::log_limit::LogLimit;
use crate::metrics::token_metrics::TokenMetrics;
use crate::sync::AtomicUsize;

pub(super) struct Shared {
    pub(super) counter: Arc<dyn TokenCounter>,
    pub(super) counter_id: CounterId,
    pub(super) tally_id: CounterId,
    pub(super) framing: Framing,
    pub(super) estimator: Estimator,
    pub(super) queue: Queue,
    pub(super) places: Places,
    /// Jobs that were taken and have no answer yet.
    pub(super) unfinished: Zero,
    /// Notified when the last worker has left.
    pub(super) left: Notify,
    /// What had come of the jobs when the shutdown began.
    pub(super) ended_before: OnceLock<Ended>,
    pub(super) metrics: TokenMetrics,
    pub(super) cost: CostModel,
    pub(super) thread_time: fn() -> Duration,
    pub(super) inline: Inline,
    pub(super) warmth: Warmth,
    pub(super) failures: LogLimit,
    pub(super) refusals: LogLimit,
    pub(super) hangs: LogLimit,
    /// How long a count may take, for each begun [`PART_BYTES`](super::parts::PART_BYTES).
    pub(super) hung_after: Duration,
    pub(super) low_priority: bool,
    /// How many workers there are to be.
    pub(super) workers: usize,
    /// Where the watcher rests.
    pub(super) rest: Rest,
}

/// The places in the queue, of which each job holds one until its result is let go of.
#[derive(Debug)]
pub(super) struct Places {
    capacity: usize,
    free: AtomicUsize,
    /// Notified when a place is free again, and when there will be none.
    pub(super) freed: Notify,
}

impl Shared {
    pub(super) fn refuse_full(&self) -> CountError {
        let capacity = self.places.capacity;
        self.metrics.refused_full();
        if let Some(suppressed) = self.refusals.admit() {
            let counter = self.counter_id.as_str();
            tracing::warn!(counter, capacity, suppressed, "the counting queue is full");
        }
        CountError::QueueFull { capacity }
    }

    pub(super) fn refuse_shut_down(&self) -> CountError {
        self.metrics.refused_shut_down();
        CountError::ShutDown
    }

    /// A worker has left. With the last one, there is nothing to watch any more.
    pub(super) fn worker_left(&self) {
        if self.queue.workers() == 0 {
            self.rest.end();
        }
        self.left.notify_waiters();
    }

    pub(super) fn report_hung(&self, hung: Hung) {
        self.metrics.hung();
        if let Some(suppressed) = self.hangs.admit() {
            let counter = self.counter_id.as_str();
            let Hung { worker, conversation, after, .. } = hung;
            tracing::error!(counter, worker, conversation, ?after, suppressed, "a count hangs");
        }
    }

    pub(super) fn log_failure(
        &self,
        worker: Option<usize>,
        conversation: Option<u64>,
        error: &CountError,
    ) {
        // The source of an error may quote the text, so only the kind of error is logged.
        let panicked = matches!(error, CountError::Panicked { .. });
        if let Some(suppressed) = self.failures.admit() {
            let counter = self.counter_id.as_str();
            tracing::error!(counter, worker, conversation, panicked, suppressed, "a count failed");
        }
    }

    pub(super) fn log_callback_panicked(&self, conversation: Option<u64>) {
        if let Some(suppressed) = self.failures.admit() {
            let counter = self.counter_id.as_str();
            tracing::error!(counter, conversation, suppressed, "a callback panicked");
        }
    }
}

impl Places {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, free: AtomicUsize::new(capacity), freed: Notify::new() }
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn take(&self) -> bool {
        self.free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1))
            .is_ok()
    }

    pub(super) fn give_back(&self) {
        self.free.fetch_add(1, Ordering::AcqRel);
        // One place serves one of those who wait.
        self.freed.notify_one();
    }
}
