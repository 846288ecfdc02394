//! What a memory, its conversations and its background tasks share.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use memory_core::{
    ConversationKey, CounterId, Limits, MemoryStore, Message, Namespace, Redactor, StoredMessage,
    Totals,
};
use tokens::{AsyncTokenCounter, LogLimit};
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};
use tracing::warn;

use crate::background::Unsettled;
use crate::deadline::Deadline;
use crate::entry::LedgerEntry;
use crate::error::MemoryError;
use crate::generation::{Generation, PoolSettings, Unused};
use crate::policy::CountPolicy;

/// The settings of a memory, checked.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) namespace: Namespace,
    pub(crate) policy: CountPolicy,
    pub(crate) redactor: Option<Arc<dyn Redactor>>,
    pub(crate) limits: Limits,
    pub(crate) inline_budget: Duration,
    pub(crate) count_deadline: Duration,
    pub(crate) deadline: Duration,
    pub(crate) sweep_interval: Duration,
    pub(crate) lease: Duration,
    pub(crate) grace: Duration,
    pub(crate) pool: PoolSettings,
}

/// Everything that does not belong to one conversation.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn MemoryStore>,
    pub(crate) options: Options,
    /// The counter that operations begin with. The lock is never held across an await.
    current: RwLock<(Arc<Generation>, Unused)>,
    /// Pools of former counters that have not ended yet.
    retiring: Mutex<Vec<Arc<AsyncTokenCounter>>>,
    /// Held while one counter takes another's place in the store and here.
    pub(crate) swapping: AsyncMutex<()>,
    /// What was queued here and is not settled yet.
    pub(crate) unsettled: Arc<Unsettled>,
    /// Conversations that were seen to have pendings of others.
    pub(crate) nudges: mpsc::Sender<ConversationKey>,
    pub(crate) shut_down: AtomicBool,
    /// Held while this memory sweeps by itself, and while it is asked to: so what a sweep finds
    /// claimed is another memory's work, and nothing is under way when it has ended.
    pub(crate) sweeping: AsyncMutex<()>,
    /// The same for counting anew what fallbacks have counted.
    pub(crate) recounting: AsyncMutex<()>,
    /// Asks for a sweep before its time.
    pub(crate) sweep_now: Notify,
    /// Tallies that background work has replaced since the start.
    pub(crate) settled: AtomicU64,
    hasher: RandomState,
    failures: LogLimit,
}

impl Shared {
    pub(crate) fn new(
        store: Arc<dyn MemoryStore>,
        options: Options,
        generation: Arc<Generation>,
        unused: Unused,
        nudges: mpsc::Sender<ConversationKey>,
    ) -> Self {
        Self {
            store,
            options,
            current: RwLock::new((generation, unused)),
            retiring: Mutex::default(),
            swapping: AsyncMutex::new(()),
            unsettled: Arc::default(),
            nudges,
            shut_down: AtomicBool::new(false),
            sweeping: AsyncMutex::new(()),
            recounting: AsyncMutex::new(()),
            sweep_now: Notify::new(),
            settled: AtomicU64::new(0),
            hasher: RandomState::new(),
            failures: LogLimit::new(),
        }
    }

    /// The counter that an operation begins with.
    pub(crate) fn generation(&self) -> Arc<Generation> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.0)
    }

    /// Whether no other counter has taken this one's place.
    pub(crate) fn is_current(&self, generation: &Arc<Generation>) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::ptr_eq(&current.0, generation)
    }

    /// The id under which the tallies of operations that begin now are stored.
    pub(crate) fn tally_id(&self) -> CounterId {
        self.generation().tally_id().clone()
    }

    /// Puts another counter in the place of the current one, whose pool is then retiring.
    pub(crate) fn replace(
        &self,
        generation: Arc<Generation>,
        unused: Unused,
    ) -> Result<(Arc<AsyncTokenCounter>, Unused), MemoryError> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // A shutdown sets the mark first and asks for the pools then: so either it is seen here,
        // or both pools are seen there.
        self.check_open()?;
        let (former, unused) = mem::replace(&mut *current, (generation, unused));
        let pool = Arc::new(former.pool.clone());
        self.retiring().push(Arc::clone(&pool));
        Ok((pool, unused))
    }

    /// Forgets a former pool that has ended.
    pub(crate) fn forget(&self, pool: &Arc<AsyncTokenCounter>) {
        self.retiring().retain(|retiring| !Arc::ptr_eq(retiring, pool));
    }

    fn retiring(&self) -> MutexGuard<'_, Vec<Arc<AsyncTokenCounter>>> {
        self.retiring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every pool that may have work: those that are retiring, and the current one.
    pub(crate) fn pools(&self) -> Vec<AsyncTokenCounter> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let mut pools: Vec<_> = self.retiring().iter().map(|pool| (**pool).clone()).collect();
        pools.push(current.0.pool.clone());
        pools
    }

    /// The deadline of an operation that begins now.
    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::after(self.options.deadline)
    }

    pub(crate) fn check_open(&self) -> Result<(), MemoryError> {
        if self.shut_down.load(Ordering::Acquire) { Err(MemoryError::ShutDown) } else { Ok(()) }
    }

    /// What stands for a conversation in logs: a hash whose key dies with the process.
    pub(crate) fn keyed_hash(&self, key: &ConversationKey) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Logs that background work failed, at a limited rate; a sweep will try again.
    pub(crate) fn log_failure(&self, operation: &str, conversation: u64, error: &dyn Error) {
        if let Some(suppressed) = self.failures.admit() {
            // Errors name conversations, which logs never do: only their kind goes there.
            let cause = error.source().map(ToString::to_string);
            warn!(operation, conversation, suppressed, cause, "background work failed");
        }
    }

    /// Asks for a sweep of a conversation that has pendings which nobody here is working on.
    pub(crate) fn touch(&self, key: &ConversationKey, totals: &Totals) {
        if totals.pending > self.unsettled.count() || !totals.complete {
            // A full channel is fine: the next sweep finds the conversation anyway.
            let _ = self.nudges.try_send(key.clone());
        }
    }

    /// Reads a stored message.
    pub(crate) fn entry(
        key: &ConversationKey,
        stored: StoredMessage,
    ) -> Result<LedgerEntry, MemoryError> {
        let seq = stored.seq;
        let message = Message::from_payload(stored.payload)
            .map_err(|source| MemoryError::Unreadable { key: key.clone(), seq, source })?;
        Ok(LedgerEntry { seq, tally: stored.tally, message })
    }
}
