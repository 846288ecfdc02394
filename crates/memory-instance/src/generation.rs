//! A counter at work, and another that takes its place.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use memory_core::{CounterId, Framing, TokenCounter};
use tokens::AsyncTokenCounter;
use tokio::sync::{mpsc, oneshot};

use crate::background::{Outcome, Settlements, settlements};
use crate::error::MemoryError;

/// What every pool of a memory is built with.
#[derive(Debug, Clone)]
pub(crate) struct PoolSettings {
    pub(crate) framing: Framing,
    pub(crate) capacity: Option<usize>,
    pub(crate) workers: Option<usize>,
    pub(crate) hung_after: Duration,
    pub(crate) warm_up: bool,
}

/// One counter with its pool, from the swap that brings it in to the swap that retires it.
///
/// An operation takes the current one when it begins, and keeps it to its end: it counts, stores
/// and settles under one counter, whatever is swapped meanwhile.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) counter: Arc<dyn TokenCounter>,
    pub(crate) pool: AsyncTokenCounter,
    /// What was counted and waits to be settled.
    pub(crate) settlements: Settlements,
    /// Its being dropped tells that no operation uses the generation any more.
    _in_use: oneshot::Sender<Infallible>,
}

/// Ends when no operation uses a generation any more.
#[derive(Debug)]
pub(crate) struct Unused(oneshot::Receiver<Infallible>);

/// A generation that has begun, with what its tasks need.
pub(crate) struct Begun {
    pub(crate) generation: Arc<Generation>,
    pub(crate) unused: Unused,
    pub(crate) outcomes: mpsc::Receiver<Outcome>,
}

impl Generation {
    /// Starts the pool of a counter.
    pub(crate) fn begin(
        counter: Arc<dyn TokenCounter>,
        settings: &PoolSettings,
    ) -> Result<Begun, MemoryError> {
        let mut pool = AsyncTokenCounter::builder(Arc::clone(&counter))
            .framing(settings.framing.clone())
            .hung_after(settings.hung_after)
            .warm_up(settings.warm_up);
        if let Some(capacity) = settings.capacity {
            pool = pool.capacity(capacity);
        }
        if let Some(workers) = settings.workers {
            pool = pool.workers(workers);
        }
        let pool = pool.build()?;
        let (settlements, outcomes) = settlements(pool.capacity());
        let (in_use, unused) = oneshot::channel();
        let generation = Arc::new(Self { counter, pool, settlements, _in_use: in_use });
        Ok(Begun { generation, unused: Unused(unused), outcomes })
    }

    /// The counter, with its framing, under which tallies are stored.
    pub(crate) fn tally_id(&self) -> &CounterId {
        self.pool.tally_id()
    }

    /// Whether it is worth while to count anew what a fallback has counted.
    pub(crate) fn is_answering(&self) -> bool {
        self.counter.is_answering()
    }
}

impl Unused {
    pub(crate) async fn wait(self) {
        // Nothing is ever sent; the other end is dropped.
        let _ = self.0.await;
    }
}
