//! The handle that callers hold.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use memory_core::{CountError, CounterId, Framing, Message, Tally, TokenCounter};

use super::builder::Builder;
use super::deliver::Permit;
use super::guard::guarded;
use super::idle::until;
use super::job::{Job, Place, Refused, Work};
use super::shared::Shared;
use super::shutdown::Threads;
use crate::metrics::token_metrics::TokenMetrics;
use crate::sync::timeout;

/// How long to wait for a count where nothing else says: 5 s.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// Counts tokens in the background, on threads of its own.
///
/// A clone is a handle to the same pool. What the pool promises says the module
/// [`pool`](crate::pool).
///
/// # Examples
///
/// A job with a callback, submitted without waiting:
///
/// ```
/// use std::sync::{Arc, mpsc};
/// use memory_core::{Message, Tally};
/// use tokens::{AsyncTokenCounter, BpeCounter, Job};
///
/// let pool = AsyncTokenCounter::builder(Arc::new(BpeCounter::o200k_base())).workers(1).build()?;
/// let (sender, results) = mpsc::channel();
/// pool.submit(Job::message(Message::user("Hello, world!"), move |counted| {
///     sender.send(counted.result).ok();
/// }))?;
/// assert_eq!(results.recv()??, Tally::exact(3 + 1 + 4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AsyncTokenCounter {
    pool: Arc<Pool>,
}

/// Dropped with the last handle; workers do not hold it.
pub(super) struct Pool {
    shared: Arc<Shared>,
    pub(super) threads: Arc<Threads>,
}

impl AsyncTokenCounter {
    /// Begins a pool that counts with `counter`.
    pub fn builder(counter: Arc<dyn TokenCounter>) -> Builder {
        Builder::new(counter)
    }

    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { pool: Arc::new(Pool { shared, threads: Arc::default() }) }
    }

    /// The counter's own id, such as `o200k_base`.
    pub fn counter_id(&self) -> &CounterId {
        &self.shared().counter_id
    }

    /// The id that tallies of this pool are stored under, such as `o200k_base/openai-chat-1`.
    pub fn tally_id(&self) -> &CounterId {
        &self.shared().tally_id
    }

    /// The rule that turns counted texts into a message's tally.
    pub fn framing(&self) -> &Framing {
        &self.shared().framing
    }

    /// How many jobs the queue holds at most.
    pub fn capacity(&self) -> usize {
        self.shared().places.capacity()
    }

    /// What the pool has done so far.
    pub fn metrics(&self) -> &TokenMetrics {
        &self.shared().metrics
    }

    /// Estimates a message's tally, at once and without counting.
    pub fn estimate(&self, message: &Message) -> Tally {
        let shared = self.shared();
        shared.framing.estimate(message, |text| shared.estimator.estimate(text))
    }

    /// The most tokens that a message can have; none where the counter knows no bound.
    pub fn upper_bound(&self, message: &Message) -> Option<u64> {
        let shared = self.shared();
        let bound = |text: &str| shared.counter.upper_bound(text).map(|most| most as u64).ok_or(());
        // A counter that panics here knows no bound.
        let tally = guarded(|| shared.framing.tally(message, bound).ok()).ok().flatten();
        tally.map(|tally| tally.tokens)
    }

    /// Reserves a place for a job to come. It never waits.
    ///
    /// # Errors
    ///
    /// [`CountError::QueueFull`] where no place is free, [`CountError::ShutDown`] after a shutdown
    /// began.
    pub fn reserve(&self) -> Result<Place, CountError> {
        let shared = self.shared();
        if !shared.queue.is_open() {
            return Err(shared.refuse_shut_down());
        }
        Permit::take(shared).map(Place::new).ok_or_else(|| shared.refuse_full())
    }

    /// Hands a job over. It never waits.
    ///
    /// # Errors
    ///
    /// [`Refused`] gives the job back, and says whether the queue is full or the pool shut down.
    pub fn submit(&self, job: Job) -> Result<(), Refused> {
        match self.reserve() {
            Ok(place) => {
                place.submit(job);
                Ok(())
            }
            Err(reason) => Err(Refused { job, reason }),
        }
    }

    /// Counts a message on a worker, and waits for a place in the queue and for its tally until the
    /// deadline at the latest.
    ///
    /// # Errors
    ///
    /// What the counter says, [`CountError::Panicked`], [`CountError::ShutDown`], and
    /// [`CountError::DeadlineExceeded`], also where the queue is full for so long.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the result up. A count that has not begun is not made.
    pub async fn tally(&self, message: &Message, deadline: Duration) -> Result<Tally, CountError> {
        self.await_count(Work::Message(message.clone()), deadline).await
    }

    /// Counts a text on a worker, and waits for a place in the queue and for its tokens until the
    /// deadline at the latest.
    ///
    /// # Errors
    ///
    /// As for [`tally`](Self::tally).
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the result up. A count that has not begun is not made.
    pub async fn count(
        &self,
        text: impl Into<Arc<str>>,
        deadline: Duration,
    ) -> Result<u64, CountError> {
        let tally = self.await_count(Work::Text(text.into()), deadline).await?;
        Ok(tally.tokens)
    }

    /// Whether every job that was taken has been delivered.
    pub fn is_idle(&self) -> bool {
        self.shared().unfinished.get() == 0
    }

    /// Waits until every job that was taken has been delivered.
    ///
    /// Where others go on submitting, that may be never: bound it with a time-out.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn wait_idle(&self) {
        self.shared().unfinished.wait().await;
    }

    /// Whether the counter has counted something, so that what it loads is loaded.
    pub fn is_warm(&self) -> bool {
        self.shared().warmth.is_warm()
    }

    /// Waits until the warm-up is over, and says whether the counter is warm.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn warmed(&self) -> bool {
        self.shared().warmth.over().await;
        self.is_warm()
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.pool.shared
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn await_count(&self, work: Work, deadline: Duration) -> Result<Tally, CountError> {
        let counting = async {
            let place = self.place().await?;
            let (job, receiver) = Job::awaited(work);
            place.submit(job);
            receiver.await.unwrap_or(Err(CountError::ShutDown))
        };
        timeout(deadline, counting).await.unwrap_or_else(|_elapsed| {
            let milliseconds = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
            Err(CountError::DeadlineExceeded { milliseconds })
        })
    }

    /// Waits for a free place.
    async fn place(&self) -> Result<Place, CountError> {
        let shared = self.shared();
        let mut permit = None;
        until(&shared.places.freed, || {
            permit = Permit::take(shared);
            permit.is_some() || !shared.queue.is_open()
        })
        .await;
        if !shared.queue.is_open() {
            return Err(shared.refuse_shut_down());
        }
        permit.map(Place::new).ok_or_else(|| shared.refuse_shut_down())
    }
}

impl fmt::Debug for AsyncTokenCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncTokenCounter")
            .field("tally_id", self.tally_id())
            .field("capacity", &self.capacity())
            .field("workers", &self.shared().workers)
            .field("hung_after", &self.shared().hung_after)
            .finish_non_exhaustive()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // The threads end by themselves: waiting for them would wait for a counter that hangs, or
        // for the very thread that drops this.
        self.shared.close();
    }
}
