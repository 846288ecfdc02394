//! A store that does nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use memory_core::{
    Append, Appended, AppendedMessage, Backlog, Capabilities, Claim, Claimed, Cleared,
    ConversationKey, CounterId, Dropped, LedgerTotals, ListPage, ListQuery, MemoryStore, Namespace,
    Page, PageQuery, PendingConversation, Probe, Repair, RepairReport, Seq, Settle, Settled,
    StoreError, Timestamp, Totals, Trim, Trimmed, WindowQuery, WindowRead,
};

/// Answers every append at once and keeps nothing: what an append costs here is what the ledger
/// itself costs.
#[derive(Debug, Default)]
pub(super) struct NullStore {
    appended: AtomicU64,
}

type Answer<T> = Result<T, StoreError>;

#[async_trait]
impl MemoryStore for NullStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities::minimal("nothing")
    }

    async fn append(&self, _: &ConversationKey, append: Append) -> Answer<Appended> {
        let count = append.messages.len() as u64;
        let before = self.appended.fetch_add(count, Ordering::Relaxed);
        let messages = append.messages.iter().zip(0..).map(|(message, place)| AppendedMessage {
            seq: Seq::FIRST.plus(before + place),
            new: true,
            tally: Some(message.tally),
            fingerprint: Some(message.fingerprint),
        });
        let messages = messages.collect();
        Ok(Appended { epoch: append.new_epoch, messages, totals: Totals::EMPTY })
    }

    async fn settle(&self, _: &ConversationKey, settle: Settle) -> Answer<Settled> {
        let applied = settle.settlements.len() as u64;
        Ok(Settled { applied, skipped: 0, totals: Totals::EMPTY })
    }

    async fn read_window(&self, _: &ConversationKey, _: WindowQuery) -> Answer<WindowRead> {
        Ok(WindowRead::EMPTY)
    }

    async fn page(&self, _: &ConversationKey, _: PageQuery) -> Answer<Page> {
        Ok(Page { epoch: None, totals: Totals::EMPTY, messages: Vec::new(), next: None })
    }

    async fn totals(&self, _: &ConversationKey) -> Answer<LedgerTotals> {
        Ok(LedgerTotals::default())
    }

    async fn set_counter(&self, _: &ConversationKey, _: &CounterId) -> Answer<()> {
        Ok(())
    }

    async fn pending(
        &self,
        _: &Namespace,
        _: Backlog,
        _: usize,
    ) -> Answer<Vec<PendingConversation>> {
        Ok(Vec::new())
    }

    async fn claim_pending(&self, _: Claim) -> Answer<Claimed> {
        Ok(Claimed::default())
    }

    async fn trim(&self, _: &ConversationKey, _: Trim) -> Answer<Trimmed> {
        Ok(Trimmed { removed: 0, first: Seq::FIRST })
    }

    async fn drop_newest(&self, _: &ConversationKey, _: u64) -> Answer<Dropped> {
        Ok(Dropped { removed: 0, next_seq: Seq::FIRST })
    }

    async fn clear(&self, _: &ConversationKey) -> Answer<Cleared> {
        Ok(Cleared { removed: 0 })
    }

    async fn expire(&self, _: &ConversationKey, _: Option<Timestamp>) -> Answer<bool> {
        Err(self.unsupported("expire"))
    }

    async fn list(&self, _: ListQuery) -> Answer<ListPage> {
        Ok(ListPage { conversations: Vec::new(), next: None })
    }

    async fn probe(&self) -> Answer<Probe> {
        Ok(Probe { backend: "nothing", format: "none".to_owned() })
    }

    async fn repair(&self, _: &ConversationKey, _: Repair) -> Answer<RepairReport> {
        Err(self.unsupported("repair"))
    }
}
