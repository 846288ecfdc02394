//! The conversation's handle, and its plain operations.

use std::sync::Arc;
use std::time::Duration;

use memory_core::{
    Cleared, ConversationKey, Dropped, LedgerTotals, PageQuery, Seq, StoreError, Totals,
};
use tokio::time::timeout;

use super::append::append;
use super::export::Export;
use super::window::{Window, WindowOptions, window};
use crate::background::{Missed, Scope, recount, sweep};
use crate::entry::{Entry, LedgerPage, Receipt};
use crate::error::MemoryError;
use crate::memory::Running;
use crate::shared::Shared;

/// One conversation of a [`Memory`](crate::Memory), cheap to clone.
///
/// Handles hold no state of the conversation: several of them, in several processes, may use it
/// at the same time.
#[derive(Debug, Clone)]
pub struct Conversation {
    running: Arc<Running>,
    key: ConversationKey,
}

impl Conversation {
    pub(crate) fn new(running: Arc<Running>, key: ConversationKey) -> Self {
        Self { running, key }
    }

    /// The conversation's namespace and id.
    pub fn key(&self) -> &ConversationKey {
        &self.key
    }

    /// Appends one message.
    ///
    /// # Errors
    ///
    /// - [`MemoryError::Limit`], [`MemoryError::Id`]: the input is too large; nothing was done.
    /// - [`StoreError::Conflict`]: the id is known with other content; nothing was written.
    /// - [`StoreError::OutcomeUnknown`]: the answer was lost, or did not come by the deadline. A
    ///   message with an id can be appended again safely.
    /// - [`MemoryError::Count`]: under [`CountPolicy::Inline`](crate::CountPolicy::Inline) only.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the message wholly appended or not at all. Where it was
    /// appended, its tally is settled all the same.
    pub async fn append(&self, entry: impl Into<Entry>) -> Result<Receipt, MemoryError> {
        let receipts = append(self.shared(), &self.key, vec![entry.into()]).await?;
        // The store contract has one answer for each message.
        receipts.into_iter().next().ok_or_else(|| short_answer(&self.key))
    }

    /// Appends a batch, wholly or not at all; an empty one does nothing.
    ///
    /// The receipts come in the order of the messages.
    ///
    /// # Errors
    ///
    /// As for [`append`](Self::append).
    ///
    /// # Cancel safety
    ///
    /// As for [`append`](Self::append).
    pub async fn append_many(
        &self,
        entries: impl IntoIterator<Item = impl Into<Entry>>,
    ) -> Result<Vec<Receipt>, MemoryError> {
        append(self.shared(), &self.key, entries.into_iter().map(Into::into).collect()).await
    }

    /// The newest messages that fit a budget, in tokens, behind the head.
    ///
    /// # Errors
    ///
    /// - [`MemoryError::Window`]: the head, or the newest group beside it, is over the budget.
    /// - [`MemoryError::Uncounted`]: counts were not ready in time, and have no upper bound.
    /// - Those of the store.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn window(&self, budget: u64) -> Result<Window, MemoryError> {
        self.window_with(WindowOptions::new(budget)).await
    }

    /// A window with options.
    ///
    /// # Errors
    ///
    /// As for [`window`](Self::window).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn window_with(&self, options: WindowOptions) -> Result<Window, MemoryError> {
        window(self.shared(), &self.key, options).await
    }

    /// At most `limit` messages after a given one, in the order of their seqs.
    ///
    /// # Errors
    ///
    /// Those of the store, and [`MemoryError::Unreadable`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn page(&self, after: Option<Seq>, limit: usize) -> Result<LedgerPage, MemoryError> {
        let shared = self.shared();
        let query = PageQuery { counter: shared.tally_id(), after, limit };
        let page = shared.deadline().read("page", shared.store.page(&self.key, query)).await?;
        let entries = page.messages.into_iter().map(|stored| Shared::entry(&self.key, stored));
        Ok(LedgerPage {
            epoch: page.epoch,
            totals: page.totals,
            entries: entries.collect::<Result<_, _>>()?,
            next: page.next,
        })
    }

    /// The sums under the memory's counter.
    ///
    /// # Errors
    ///
    /// Those of the store.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn totals(&self) -> Result<Totals, MemoryError> {
        let totals = self.ledger().await?.under(&self.shared().tally_id());
        self.shared().touch(&self.key, &totals);
        Ok(totals)
    }

    /// The sums under every counter that has counted here.
    ///
    /// # Errors
    ///
    /// Those of the store.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn ledger(&self) -> Result<LedgerTotals, MemoryError> {
        let shared = self.shared();
        Ok(shared.deadline().read("totals", shared.store.totals(&self.key)).await?)
    }

    /// How many messages are retained.
    ///
    /// # Errors
    ///
    /// Those of the store.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn len(&self) -> Result<u64, MemoryError> {
        Ok(self.ledger().await?.messages)
    }

    /// Whether no message is retained.
    ///
    /// # Errors
    ///
    /// Those of the store.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn is_empty(&self) -> Result<bool, MemoryError> {
        Ok(self.len().await? == 0)
    }

    /// Removes the newest `count` messages; the next appends take their seqs.
    ///
    /// # Errors
    ///
    /// Those of the store. After [`StoreError::OutcomeUnknown`] look before dropping again.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves it wholly done or not at all.
    pub async fn drop_newest(&self, count: u64) -> Result<Dropped, MemoryError> {
        let shared = self.shared();
        shared.check_open()?;
        let dropping = shared.store.drop_newest(&self.key, count);
        Ok(shared.deadline().write("drop of the newest messages", dropping).await?)
    }

    /// Removes everything; the next append begins a new epoch.
    ///
    /// # Errors
    ///
    /// Those of the store.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves it wholly done or not at all.
    pub async fn clear(&self) -> Result<Cleared, MemoryError> {
        let shared = self.shared();
        shared.check_open()?;
        Ok(shared.deadline().write("clear", shared.store.clear(&self.key)).await?)
    }

    /// Reads the whole conversation, page by page.
    pub fn export(&self) -> Export {
        Export::new(self.clone())
    }

    /// Settles everything that is pending here under the memory's counter, also what only another
    /// counter has counted, counts anew what a fallback has counted where the counter itself
    /// answers, and returns the sums.
    ///
    /// Where the deadline passes first, or something cannot be counted now, the sums still have
    /// pendings.
    ///
    /// # Errors
    ///
    /// Those of the store, and [`StoreError::DeadlineExceeded`] where it does not even tell the sums.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was settled stays so.
    pub async fn settle(&self, deadline: Duration) -> Result<Totals, MemoryError> {
        let mut seen = None;
        let settled = timeout(deadline, self.settle_now(&mut seen)).await;
        let milliseconds = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        let late = StoreError::DeadlineExceeded { operation: "totals", milliseconds };
        settled.unwrap_or(Ok(()))?;
        seen.ok_or_else(|| late.into())
    }

    /// Sweeps until nothing is pending, or nothing gets less; keeps the sums as they were last seen.
    async fn settle_now(&self, seen: &mut Option<Totals>) -> Result<(), MemoryError> {
        let (shared, scope) = (self.shared(), Scope::One(self.key.clone()));
        let mut before = u64::MAX;
        let mut totals = self.see_totals(seen).await?;
        while totals.pending > 0 && totals.pending < before {
            let report = sweep(shared, &scope).await?;
            // What is appended meanwhile may outnumber what was settled.
            before = if report.settled > 0 { u64::MAX } else { totals.pending };
            totals = self.see_totals(seen).await?;
        }
        if totals.fallback > 0 && shared.generation().is_answering() {
            recount(shared, &scope, &mut Missed::default()).await?;
            self.see_totals(seen).await?;
        }
        Ok(())
    }

    async fn see_totals(&self, seen: &mut Option<Totals>) -> Result<Totals, MemoryError> {
        let totals = self.ledger().await?.under(&self.shared().tally_id());
        *seen = Some(totals);
        Ok(totals)
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.running.shared
    }
}

fn short_answer(key: &ConversationKey) -> MemoryError {
    let detail = "the store did not answer for every message";
    StoreError::DamagedConversation { key: key.clone(), detail }.into()
}
