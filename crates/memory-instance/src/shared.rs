//! What a memory, its conversations and its background tasks share.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use memory_core::{
    ConversationKey, CounterId, Limits, MemoryStore, Message, Namespace, Redactor, StoredMessage,
    Totals,
};
use tokens::{AsyncTokenCounter, LogLimit};
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tracing::warn;

use crate::background::{Settlements, Unsettled};
use crate::deadline::Deadline;
use crate::entry::LedgerEntry;
use crate::error::MemoryError;
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
}

/// Everything that does not belong to one conversation.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn MemoryStore>,
    pub(crate) pool: AsyncTokenCounter,
    pub(crate) options: Options,
    /// What was counted and waits to be settled.
    pub(crate) settlements: Settlements,
    /// What was queued here and is not settled yet.
    pub(crate) unsettled: Arc<Unsettled>,
    /// Conversations that were seen to have pendings of others.
    pub(crate) nudges: mpsc::Sender<ConversationKey>,
    pub(crate) shut_down: AtomicBool,
    /// Held while this memory sweeps by itself, and while it is asked to: so what a sweep finds
    /// claimed is another memory's work, and nothing is under way when it has ended.
    pub(crate) sweeping: AsyncMutex<()>,
    /// Tallies that background work has replaced since the start.
    pub(crate) settled: AtomicU64,
    hasher: RandomState,
    failures: LogLimit,
}

impl Shared {
    pub(crate) fn new(
        store: Arc<dyn MemoryStore>,
        pool: AsyncTokenCounter,
        options: Options,
        settlements: Settlements,
        nudges: mpsc::Sender<ConversationKey>,
    ) -> Self {
        Self {
            store,
            pool,
            options,
            settlements,
            unsettled: Arc::default(),
            nudges,
            shut_down: AtomicBool::new(false),
            sweeping: AsyncMutex::new(()),
            settled: AtomicU64::new(0),
            hasher: RandomState::new(),
            failures: LogLimit::new(),
        }
    }

    /// The counter, with its framing, under which this memory's tallies are stored.
    pub(crate) fn counter(&self) -> &CounterId {
        self.pool.tally_id()
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
