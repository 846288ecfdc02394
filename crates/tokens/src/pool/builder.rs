//! Building a pool.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use memory_core::{Framing, TokenCounter};
use tokio::sync::Notify;

use super::clock::thread_time;
use super::cost::CostModel;
use super::handle::AsyncTokenCounter;
use super::idle::Zero;
use super::inline::Inline;
use super::queue::Queue;
use super::shared::{Places, Shared};
use super::shutdown::WATCHER;
use super::warm::Warmth;
use super::watch::{Rest, Watcher};
use super::worker::Worker;
use crate::error::BuildError;
use crate::estimator::Estimator;
use crate::log_limit::LogLimit;
use crate::metrics::token_metrics::TokenMetrics;
use crate::sync::thread;

/// How many jobs the queue holds where nothing else is said.
pub const DEFAULT_CAPACITY: usize = 1000;

/// The most worker threads where nothing else is said; for a counter that is bound by the processor
/// no more than the machine's cores.
pub const DEFAULT_MAX_WORKERS: usize = 10;

/// How long a count may take where nothing else is said, for each begun [`PART_BYTES`]: 30 s, some
/// thousand times as long as the slowest text of that length takes.
///
/// [`PART_BYTES`]: crate::pool::PART_BYTES
pub const DEFAULT_HUNG_AFTER: Duration = Duration::from_secs(30);

/// The most jobs that a queue may be told to hold. Each holds its message in memory.
pub const MAX_CAPACITY: usize = 1_000_000;

/// The most worker threads that a pool may be told to have.
pub const MAX_WORKERS: usize = 1024;

/// Builds an [`AsyncTokenCounter`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is built"]
pub struct Builder {
    counter: Arc<dyn TokenCounter>,
    framing: Framing,
    estimator: Option<Estimator>,
    capacity: usize,
    workers: Option<usize>,
    warm_up: bool,
    low_priority: bool,
    hung_after: Duration,
    thread_time: fn() -> Duration,
}

impl Builder {
    pub(super) fn new(counter: Arc<dyn TokenCounter>) -> Self {
        Self {
            counter,
            framing: Framing::default(),
            estimator: None,
            capacity: DEFAULT_CAPACITY,
            workers: None,
            warm_up: true,
            low_priority: true,
            hung_after: DEFAULT_HUNG_AFTER,
            thread_time,
        }
    }

    /// Sets the rule that turns counted texts into a message's tally.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Sets how many jobs may be queued, in hand, or delivered and still held: 1 to
    /// [`MAX_CAPACITY`], by default [`DEFAULT_CAPACITY`].
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Sets how many threads count: 1 to [`MAX_WORKERS`], by default [`DEFAULT_MAX_WORKERS`], and no
    /// more than the machine's cores where the counter is
    /// [bound by the processor](TokenCounter::is_cpu_bound).
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Sets what estimates; by default [`Estimator::for_counter`] of the pool's counter.
    pub fn estimator(mut self, estimator: Estimator) -> Self {
        self.estimator = Some(estimator);
        self
    }

    /// Sets whether a worker counts sample texts first, so that the counter loads what it needs
    /// and its cost is known (the default).
    ///
    /// Without, nothing is counted at once until workers have counted some jobs. A counter that is
    /// not [bound by the processor](TokenCounter::is_cpu_bound), such as a provider's service, is
    /// asked for no samples.
    pub fn warm_up(mut self, warm_up: bool) -> Self {
        self.warm_up = warm_up;
        self
    }

    /// Sets whether the threads that count give way to others (the default). On Linux their
    /// niceness is 5 above that of the thread that builds the pool; on other systems nothing
    /// changes.
    pub fn low_priority(mut self, low_priority: bool) -> Self {
        self.low_priority = low_priority;
        self
    }

    /// Sets how long a count may take, for each begun [`PART_BYTES`](crate::pool::PART_BYTES) of
    /// its text: more than zero, by default [`DEFAULT_HUNG_AFTER`].
    ///
    /// What takes longer is taken to hang: see [`pool`](crate::pool). It is found when a quarter
    /// of that time more is over, at the latest.
    pub fn hung_after(mut self, hung_after: Duration) -> Self {
        self.hung_after = hung_after;
        self
    }

    /// Sets what tells the processor time of a thread.
    #[cfg(test)]
    pub(super) fn thread_time(mut self, thread_time: fn() -> Duration) -> Self {
        self.thread_time = thread_time;
        self
    }

    /// Checks everything and starts the threads.
    ///
    /// The metrics of the pool go to the recorder that is installed at this time.
    ///
    /// # Errors
    ///
    /// [`BuildError`] where capacity or workers are out of bounds, or the system refuses a thread;
    /// no thread is left behind then.
    pub fn build(self) -> Result<AsyncTokenCounter, BuildError> {
        let (pool, workers) = self.unspawned()?;
        let threads = &pool.pool().threads;
        let start = |index: usize, name: String, code: Box<dyn FnOnce() + Send>| {
            // Where one is refused, the pool is dropped, and that ends the others.
            let thread = thread::Builder::new().name(name.clone()).spawn(code);
            thread
                .map(|thread| threads.keep(index, thread))
                .map_err(|source| BuildError::Spawn { name, source })
        };
        for worker in workers {
            let index = worker.index();
            start(index, Worker::name(index), Box::new(move || worker.run()))?;
        }
        let watcher = Watcher::new(Arc::clone(pool.shared()), Arc::clone(threads));
        start(WATCHER, Watcher::NAME.to_owned(), Box::new(move || watcher.run()))?;
        Ok(pool)
    }

    /// The pool, and its workers without threads.
    pub(super) fn unspawned(self) -> Result<(AsyncTokenCounter, Vec<Worker>), BuildError> {
        let workers = self.workers.unwrap_or_else(|| default_workers(self.counter.is_cpu_bound()));
        if !(1..=MAX_CAPACITY).contains(&self.capacity) {
            return Err(BuildError::Capacity { capacity: self.capacity, max: MAX_CAPACITY });
        }
        if !(1..=MAX_WORKERS).contains(&workers) {
            return Err(BuildError::Workers { workers, max: MAX_WORKERS });
        }
        if self.hung_after.is_zero() {
            return Err(BuildError::HungAfter);
        }
        let counter_id = self.counter.id().clone();
        // Where a count waits for something else, results would wait long for company.
        let batches = self.counter.is_cpu_bound();
        let queue = Queue::new(workers, self.capacity, batches, self.framing.clone());
        let shared = Arc::new(Shared {
            tally_id: counter_id.framed(&self.framing),
            framing: self.framing,
            estimator: self.estimator.unwrap_or_else(|| Estimator::for_counter(&counter_id)),
            queue,
            places: Places::new(self.capacity),
            unfinished: Zero::default(),
            left: Notify::new(),
            ended_before: OnceLock::new(),
            metrics: TokenMetrics::new(Arc::clone(&self.counter)),
            cost: CostModel::new(),
            thread_time: self.thread_time,
            inline: Inline::new(self.counter.inline_safe()),
            warmth: Warmth::new(self.warm_up),
            failures: LogLimit::new(),
            refusals: LogLimit::new(),
            hangs: LogLimit::new(),
            hung_after: self.hung_after,
            low_priority: self.low_priority,
            workers,
            rest: Rest::default(),
            counter: self.counter,
            counter_id,
        });
        let workers = (0..workers).map(|index| Worker::new(Arc::clone(&shared), index)).collect();
        Ok((AsyncTokenCounter::new(shared), workers))
    }
}

fn default_workers(is_cpu_bound: bool) -> usize {
    if !is_cpu_bound {
        return DEFAULT_MAX_WORKERS;
    }
    // Where the system does not tell its cores, one worker is surely not too many.
    std::thread::available_parallelism().map_or(1, usize::from).min(DEFAULT_MAX_WORKERS)
}
