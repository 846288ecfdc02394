//! The counters of one pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memory_core::TokenCounter;
use metrics::Gauge;

use super::histogram::{Durations, Ratios};
use super::published::Published;
use super::snapshot::TokenMetricsSnapshot;

/// What one pool did, counted without locks.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use tokens::{AsyncTokenCounter, BpeCounter};
///
/// let pool = AsyncTokenCounter::builder(Arc::new(BpeCounter::o200k_base())).workers(1).build()?;
/// let snapshot = pool.metrics().snapshot();
/// assert_eq!((snapshot.submitted, snapshot.refused()), (0, 0));
/// # Ok::<(), tokens::BuildError>(())
/// ```
#[derive(Debug)]
pub struct TokenMetrics {
    submitted: AtomicU64,
    succeeded: AtomicU64,
    failed: AtomicU64,
    panicked: AtomicU64,
    abandoned: AtomicU64,
    given_up: AtomicU64,
    shared: AtomicU64,
    hung: AtomicU64,
    recovered: AtomicU64,
    refused_full: AtomicU64,
    refused_shut_down: AtomicU64,
    inline: AtomicU64,
    inline_failed: AtomicU64,
    left_queue: AtomicU64,
    in_hand: AtomicU64,
    bytes: AtomicU64,
    tokens: AtomicU64,
    detached_workers: AtomicU64,
    waits: Durations,
    counts: Durations,
    estimate_errors: Ratios,
    published: Published,
    counter: Arc<dyn TokenCounter>,
}

impl TokenMetrics {
    /// The numbers of now.
    pub fn snapshot(&self) -> TokenMetricsSnapshot {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        // Jobs leave the queue after they came, so this order never shows a negative depth.
        let left_queue = get(&self.left_queue);
        let submitted = get(&self.submitted);
        let count = self.counts.summary();
        let cache = self.counter.cache_lookups();
        TokenMetricsSnapshot {
            submitted,
            succeeded: get(&self.succeeded),
            failed: get(&self.failed),
            panicked: get(&self.panicked),
            abandoned: get(&self.abandoned),
            given_up: get(&self.given_up),
            shared: get(&self.shared),
            hung: get(&self.hung),
            recovered: get(&self.recovered),
            refused_full: get(&self.refused_full),
            refused_shut_down: get(&self.refused_shut_down),
            inline: get(&self.inline),
            inline_failed: get(&self.inline_failed),
            queue_depth: submitted.saturating_sub(left_queue),
            in_hand: get(&self.in_hand),
            bytes: get(&self.bytes),
            tokens: get(&self.tokens),
            detached_workers: get(&self.detached_workers),
            cache_hits: cache.hits,
            cache_misses: cache.misses,
            timed: count.count,
            total_duration: count.total,
            wait: self.waits.summary(),
            count,
            estimate_error: self.estimate_errors.summary(),
        }
    }

    /// Notes messages that were refused or lost once, and are settled now.
    ///
    /// Whoever has such messages counted later calls this; the pool cannot know it.
    pub fn recovered(&self, messages: u64) {
        add(&self.recovered, messages);
        self.published.recovered.increment(messages);
    }

    pub(crate) fn new(counter: Arc<dyn TokenCounter>) -> Self {
        let zero = AtomicU64::default;
        Self {
            submitted: zero(),
            succeeded: zero(),
            failed: zero(),
            panicked: zero(),
            abandoned: zero(),
            given_up: zero(),
            shared: zero(),
            hung: zero(),
            recovered: zero(),
            refused_full: zero(),
            refused_shut_down: zero(),
            inline: zero(),
            inline_failed: zero(),
            left_queue: zero(),
            in_hand: zero(),
            bytes: zero(),
            tokens: zero(),
            detached_workers: zero(),
            waits: Durations::new(),
            counts: Durations::new(),
            estimate_errors: Ratios::new(),
            published: Published::new(counter.id()),
            counter,
        }
    }

    /// A job was taken into the queue.
    pub(crate) fn submitted(&self) {
        add(&self.submitted, 1);
        self.published.submitted.increment(1);
        self.published.queue_depth.increment(1);
    }

    /// So many jobs left the queue, wherever they went, and so many more are in hand.
    pub(crate) fn moved(&self, left_queue: i64, in_hand: i64) {
        change(&self.left_queue, &self.published.queue_depth, left_queue, -left_queue);
        change(&self.in_hand, &self.published.in_hand, in_hand, in_hand);
    }

    /// A worker counted for one job or several.
    pub(crate) fn counted(&self, bytes: usize, tokens: u64, elapsed: Duration) {
        self.timed(elapsed);
        add(&self.bytes, bytes as u64);
        add(&self.tokens, tokens);
        self.published.counted_bytes.increment(bytes as u64);
        self.published.counted_tokens.increment(tokens);
    }

    /// A job got its count.
    pub(crate) fn succeeded(&self, waited: Duration) {
        self.waited(waited);
        add(&self.succeeded, 1);
        self.published.succeeded.increment(1);
    }

    /// A job got a count that another one had begun.
    pub(crate) fn shared(&self) {
        add(&self.shared, 1);
        self.published.shared.increment(1);
    }

    /// A worker's counter failed.
    pub(crate) fn failed(&self, panicked: bool, elapsed: Duration, waited: Duration) {
        self.timed(elapsed);
        self.waited(waited);
        let (number, published) = if panicked {
            (&self.panicked, &self.published.panicked)
        } else {
            (&self.failed, &self.published.failed)
        };
        add(number, 1);
        published.increment(1);
    }

    /// A job was answered whose count hangs.
    pub(crate) fn failed_hung(&self, waited: Duration) {
        self.waited(waited);
        add(&self.failed, 1);
        self.published.failed.increment(1);
    }

    /// A count hangs.
    pub(crate) fn hung(&self) {
        add(&self.hung, 1);
        self.published.hung.increment(1);
    }

    /// A worker that hangs was replaced.
    pub(crate) fn replaced(&self) {
        change(&self.detached_workers, &self.published.detached_workers, 1, 1);
    }

    /// A worker that was replaced has come back and ends.
    pub(crate) fn came_back(&self) {
        change(&self.detached_workers, &self.published.detached_workers, -1, -1);
    }

    /// The estimate of what a worker counted was so much too high, as a ratio to the count.
    pub(crate) fn estimate_error(&self, ratio: f64) {
        self.estimate_errors.record(ratio);
        self.published.estimate_error_ratio.record(ratio);
    }

    /// Nobody waited for a job any more.
    pub(crate) fn abandoned(&self) {
        add(&self.abandoned, 1);
        self.published.abandoned.increment(1);
    }

    /// A job was given up.
    pub(crate) fn given_up(&self) {
        add(&self.given_up, 1);
        self.published.given_up.increment(1);
    }

    /// No place was free.
    pub(crate) fn refused_full(&self) {
        add(&self.refused_full, 1);
        self.published.refused_full.increment(1);
    }

    /// The pool was shut down.
    pub(crate) fn refused_shut_down(&self) {
        add(&self.refused_shut_down, 1);
        self.published.refused_shut_down.increment(1);
    }

    /// A message was counted at once.
    pub(crate) fn counted_inline(&self, bytes: usize, tokens: u64, elapsed: Duration) {
        self.counted(bytes, tokens, elapsed);
        add(&self.inline, 1);
        self.published.inline.increment(1);
    }

    /// A count at once failed.
    pub(crate) fn failed_inline(&self) {
        add(&self.inline_failed, 1);
        self.published.inline_failed.increment(1);
    }

    fn timed(&self, elapsed: Duration) {
        self.counts.record(elapsed);
        self.published.count_seconds.record(elapsed);
    }

    fn waited(&self, waited: Duration) {
        self.waits.record(waited);
        self.published.wait_seconds.record(waited);
    }
}

fn add(number: &AtomicU64, by: u64) {
    number.fetch_add(by, Ordering::Relaxed);
}

/// Changes a number and the level that is published of it.
#[expect(clippy::cast_precision_loss, reason = "a few jobs at a time")]
fn change(number: &AtomicU64, level: &Gauge, by: i64, level_by: i64) {
    if by != 0 {
        // What was added before is taken away, so the number never goes below zero.
        number.fetch_add(by.cast_unsigned(), Ordering::Relaxed);
        level.increment(level_by as f64);
    }
}
