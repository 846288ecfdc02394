//! The counters of one pool.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memory_core::CounterId;

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
    refused_full: AtomicU64,
    refused_shut_down: AtomicU64,
    inline: AtomicU64,
    inline_failed: AtomicU64,
    left_queue: AtomicU64,
    in_hand: AtomicU64,
    bytes: AtomicU64,
    tokens: AtomicU64,
    timed: AtomicU64,
    nanos: AtomicU64,
    published: Published,
}

impl TokenMetrics {
    /// The numbers of now.
    pub fn snapshot(&self) -> TokenMetricsSnapshot {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        // Jobs leave the queue after they came, so this order never shows a negative depth.
        let left_queue = get(&self.left_queue);
        let submitted = get(&self.submitted);
        TokenMetricsSnapshot {
            submitted,
            succeeded: get(&self.succeeded),
            failed: get(&self.failed),
            panicked: get(&self.panicked),
            abandoned: get(&self.abandoned),
            given_up: get(&self.given_up),
            refused_full: get(&self.refused_full),
            refused_shut_down: get(&self.refused_shut_down),
            inline: get(&self.inline),
            inline_failed: get(&self.inline_failed),
            queue_depth: submitted.saturating_sub(left_queue),
            in_hand: get(&self.in_hand),
            bytes: get(&self.bytes),
            tokens: get(&self.tokens),
            timed: get(&self.timed),
            total_duration: Duration::from_nanos(get(&self.nanos)),
        }
    }

    pub(crate) fn new(counter: &CounterId) -> Self {
        let zero = AtomicU64::default;
        Self {
            submitted: zero(),
            succeeded: zero(),
            failed: zero(),
            panicked: zero(),
            abandoned: zero(),
            given_up: zero(),
            refused_full: zero(),
            refused_shut_down: zero(),
            inline: zero(),
            inline_failed: zero(),
            left_queue: zero(),
            in_hand: zero(),
            bytes: zero(),
            tokens: zero(),
            timed: zero(),
            nanos: zero(),
            published: Published::new(counter),
        }
    }

    /// A job was taken into the queue.
    pub(crate) fn submitted(&self) {
        add(&self.submitted, 1);
        self.published.submitted.increment(1);
        self.published.queue_depth.increment(1);
    }

    /// A job left the queue, wherever it went.
    pub(crate) fn left_queue(&self) {
        add(&self.left_queue, 1);
        self.published.queue_depth.decrement(1);
    }

    /// A worker begins to count.
    pub(crate) fn begun(&self) {
        add(&self.in_hand, 1);
        self.published.in_hand.increment(1);
    }

    /// A worker has ended a count.
    pub(crate) fn ended(&self) {
        self.in_hand.fetch_sub(1, Ordering::Relaxed);
        self.published.in_hand.decrement(1);
    }

    /// A worker counted a job.
    pub(crate) fn succeeded(&self, bytes: usize, tokens: u64, elapsed: Duration) {
        self.counted(bytes, tokens, elapsed);
        add(&self.succeeded, 1);
        self.published.succeeded.increment(1);
    }

    /// A worker's counter failed.
    pub(crate) fn failed(&self, panicked: bool, elapsed: Duration) {
        self.timed(elapsed);
        let (number, published) = if panicked {
            (&self.panicked, &self.published.panicked)
        } else {
            (&self.failed, &self.published.failed)
        };
        add(number, 1);
        published.increment(1);
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

    fn counted(&self, bytes: usize, tokens: u64, elapsed: Duration) {
        self.timed(elapsed);
        add(&self.bytes, bytes as u64);
        add(&self.tokens, tokens);
        self.published.counted_bytes.increment(bytes as u64);
        self.published.counted_tokens.increment(tokens);
    }

    fn timed(&self, elapsed: Duration) {
        add(&self.nanos, u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
        add(&self.timed, 1);
        self.published.count_seconds.record(elapsed);
    }
}

fn add(number: &AtomicU64, by: u64) {
    number.fetch_add(by, Ordering::Relaxed);
}
