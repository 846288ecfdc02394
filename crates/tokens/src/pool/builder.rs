//! Building a pool.

use std::sync::{Arc, OnceLock};

use memory_core::{Framing, TokenCounter};
use tokio::sync::Notify;

use super::cost::CostModel;
use super::hand::Hand;
use super::handle::AsyncTokenCounter;
use super::idle::Zero;
use super::inline::Inline;
use super::queue::Queue;
use super::shared::{Places, Shared};
use super::warm::Warmth;
use super::worker::Worker;
use crate::error::BuildError;
use crate::estimator::Estimator;
use crate::log_limit::LogLimit;
use crate::metrics::token_metrics::TokenMetrics;
use crate::sync::thread;

/// How many jobs the queue holds where nothing else is said.
pub const DEFAULT_CAPACITY: usize = 1000;

/// The most worker threads where nothing else is said; no more than the machine's cores.
pub const DEFAULT_MAX_WORKERS: usize = 10;

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

    /// Sets how many threads count: 1 to [`MAX_WORKERS`], by default the machine's cores and at
    /// most [`DEFAULT_MAX_WORKERS`].
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
    /// Without, nothing is counted at once until workers have counted some jobs.
    pub fn warm_up(mut self, warm_up: bool) -> Self {
        self.warm_up = warm_up;
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
        let (shared, count) = (Arc::clone(pool.shared()), workers.len());
        let mut threads = Vec::with_capacity(count);
        for (index, worker) in workers.into_iter().enumerate() {
            let name = Worker::name(index);
            match thread::Builder::new().name(name.clone()).spawn(move || worker.run()) {
                Ok(thread) => threads.push(thread),
                Err(source) => {
                    shared.queue.forget_workers(count - index);
                    return Err(BuildError::Spawn { name, source });
                }
            }
        }
        pool.keep_threads(threads);
        Ok(pool)
    }

    /// The pool, and its workers without threads.
    pub(super) fn unspawned(self) -> Result<(AsyncTokenCounter, Vec<Worker>), BuildError> {
        let workers = self.workers.unwrap_or_else(default_workers);
        if !(1..=MAX_CAPACITY).contains(&self.capacity) {
            return Err(BuildError::Capacity { capacity: self.capacity, max: MAX_CAPACITY });
        }
        if !(1..=MAX_WORKERS).contains(&workers) {
            return Err(BuildError::Workers { workers, max: MAX_WORKERS });
        }
        let counter_id = self.counter.id().clone();
        let shared = Arc::new(Shared {
            tally_id: counter_id.framed(&self.framing),
            framing: self.framing,
            estimator: self.estimator.unwrap_or_else(|| Estimator::for_counter(&counter_id)),
            queue: Queue::new(workers),
            places: Places::new(self.capacity),
            hands: (0..workers).map(|_| Hand::default()).collect(),
            unfinished: Zero::default(),
            left: Notify::new(),
            ended_before: OnceLock::new(),
            metrics: TokenMetrics::new(&counter_id),
            cost: CostModel::new(),
            inline: Inline::new(self.counter.inline_safe()),
            warmth: Warmth::new(self.warm_up),
            failures: LogLimit::new(),
            refusals: LogLimit::new(),
            counter: self.counter,
            counter_id,
        });
        let workers = (0..workers).map(|index| Worker::new(Arc::clone(&shared), index)).collect();
        Ok((AsyncTokenCounter::new(shared), workers))
    }
}

fn default_workers() -> usize {
    // Where the system does not tell its cores, one worker is surely not too many.
    std::thread::available_parallelism().map_or(1, usize::from).min(DEFAULT_MAX_WORKERS)
}
