//! The memory itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use memory_core::{
    ConversationId, ConversationKey, CounterId, Limits, ListPage, ListQuery, MemoryStore, Namespace,
};
use tokens::AsyncTokenCounter;
use tokio::time::timeout;

use super::builder::MemoryBuilder;
use super::running::Running;
use crate::background::{Missed, Scope, SweepReport, recount, sweep};
use crate::conversation::Conversation;
use crate::deadline::Deadline;
use crate::error::MemoryError;
use crate::shared::Shared;

/// Conversations in one store, counted by one counter at a time.
///
/// Cheap to clone: clones are the same memory. Dropping the last one, and the last
/// [`Conversation`], ends the background work at once; what was pending stays so in the store, and
/// the next memory on it settles that. [`shutdown`](Self::shutdown) ends it in good order.
#[derive(Debug, Clone)]
pub struct Memory(pub(super) Arc<Running>);

/// What a shutdown achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShutdownReport {
    /// Messages that were settled while shutting down.
    pub settled: u64,
    /// Messages that this memory had queued and did not settle in time; a sweep will.
    pub left_pending: u64,
}

impl Memory {
    /// Begins a memory.
    pub fn builder() -> MemoryBuilder {
        MemoryBuilder::default()
    }

    /// A conversation in the memory's namespace. It need not exist: the first append begins it.
    pub fn conversation(&self, id: ConversationId) -> Conversation {
        self.conversation_in(self.namespace().clone(), id)
    }

    /// A conversation in another namespace.
    pub fn conversation_in(&self, namespace: Namespace, id: ConversationId) -> Conversation {
        Conversation::new(Arc::clone(&self.0), ConversationKey::new(namespace, id))
    }

    /// The counter, with its framing, under which tallies are stored:
    /// `o200k_base/openai-chat-1`. A [swap](Self::swap_counter) makes it another.
    pub fn tally_id(&self) -> CounterId {
        self.shared().tally_id()
    }

    /// The namespace of [`conversation`](Self::conversation).
    pub fn namespace(&self) -> &Namespace {
        &self.shared().options.namespace
    }

    /// The bounds on input.
    pub fn limits(&self) -> &Limits {
        &self.shared().options.limits
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn MemoryStore> {
        &self.shared().store
    }

    /// The pool that counts now, for its metrics. A [swap](Self::swap_counter) puts another in its
    /// place; the handle that was given out stays with the former one.
    pub fn counting(&self) -> AsyncTokenCounter {
        self.shared().generation().pool.clone()
    }

    /// Some conversations of the memory's namespace, after a given one, at most `limit`.
    ///
    /// # Errors
    ///
    /// Those of the store.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn list(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<ListPage, MemoryError> {
        let query = ListQuery { namespace: self.namespace().clone(), after, limit };
        let shared = self.shared();
        Ok(shared.deadline().read("list", shared.store.list(query)).await?)
    }

    /// Settles what is pending in the store and nobody is working on, in every namespace, and counts
    /// anew what a fallback has counted, as long as the counter itself answers.
    ///
    /// It takes as long as the counting takes; each operation in it has its own deadline. A sweep
    /// that this memory has begun by itself is waited for first.
    ///
    /// # Errors
    ///
    /// Those of the store, and [`MemoryError::ShutDown`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was settled stays so, and what was claimed can be claimed again when its
    /// lease ends.
    pub async fn sweep(&self) -> Result<SweepReport, MemoryError> {
        let shared = self.shared();
        let mut report = {
            let _alone = shared.sweeping.lock().await;
            sweep(shared, &Scope::All).await?
        };
        let _alone = shared.recounting.lock().await;
        let SweepReport { settled, recounted, left } =
            recount(shared, &Scope::All, &mut Missed::default()).await?;
        report.settled += settled;
        report.recounted += recounted;
        report.left += left;
        Ok(report)
    }

    /// Waits until nothing that this memory has queued is unsettled; false where the deadline
    /// passes first.
    ///
    /// What was left to the sweep is not waited for.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    pub async fn settled(&self, deadline: Duration) -> bool {
        timeout(deadline, self.shared().unsettled.none_left()).await.is_ok()
    }

    /// Refuses new work, settles what is queued until the deadline, and ends the counting threads.
    ///
    /// Appends, drops, clears and sweeps answer [`MemoryError::ShutDown`] from then on; reads go
    /// on. A second call waits for what is left, too, and reports its own share.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the memory refusing new work; call it again to go on.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let shared = self.shared();
        let deadline = Deadline::after(deadline);
        let before = (shared.settled.load(Ordering::Relaxed), shared.unsettled.numbers());
        shared.shut_down.store(true, Ordering::Release);
        let pools = shared.pools();
        join_all(pools.iter().map(|pool| pool.shutdown(deadline.left()))).await;
        // What was counted is on its way to the store.
        let _ = timeout(deadline.left(), shared.unsettled.none_left()).await;
        // In this order every message that is still pending is in `left_pending`. One that the
        // store is answering for at this very moment may be in both figures; one that another has
        // settled or removed meanwhile is in none.
        let now = shared.unsettled.numbers();
        let settled = shared.settled.load(Ordering::Relaxed) - before.0;
        self.0.abort();
        ShutdownReport { settled, left_pending: now.unsettled() + now.left_since(before.1) }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }
}
