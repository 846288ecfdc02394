//! A store that notes when tallies became exact.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use memory_core::{
    Append, Appended, Archive, Backlog, Capabilities, Claim, Claimed, Cleared, ConversationId,
    ConversationKey, CounterId, Dropped, LedgerTotals, ListPage, ListQuery, MemoryStore, Namespace,
    Page, PageQuery, PendingConversation, Probe, PutHead, Repair, RepairReport, Seq, Settle,
    Settled, StableStart, StoreError, Timestamp, Trim, Trimmed, WindowQuery, WindowRead,
};
use store_embedded::EmbeddedStore;

/// When a message's tally was settled.
pub(super) type Settling = (ConversationId, Seq, Instant);

/// The embedded store, and when each settlement was acknowledged.
#[derive(Debug)]
pub(super) struct Recording {
    store: EmbeddedStore,
    settled: AtomicU64,
    settlings: Mutex<Vec<Settling>>,
}

impl Recording {
    pub(super) fn new(store: EmbeddedStore) -> Self {
        Self { store, settled: AtomicU64::new(0), settlings: Mutex::default() }
    }

    /// How many tallies were replaced so far.
    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    /// Takes out what was noted.
    pub(super) fn take(&self) -> Vec<Settling> {
        std::mem::take(&mut *self.settlings.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

type Answer<T> = Result<T, StoreError>;

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MemoryStore for Recording {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn append(&self, key: &ConversationKey, append: Append) -> Answer<Appended> {
        self.store.append(key, append).await
    }

    async fn settle(&self, key: &ConversationKey, settle: Settle) -> Answer<Settled> {
        let seqs: Vec<_> = settle.settlements.iter().map(|settlement| settlement.seq).collect();
        let settled = self.store.settle(key, settle).await?;
        let now = Instant::now();
        self.settled.fetch_add(settled.applied, Ordering::Relaxed);
        let settlings = seqs.into_iter().map(|seq| (key.id.clone(), seq, now));
        self.settlings.lock().unwrap_or_else(PoisonError::into_inner).extend(settlings);
        Ok(settled)
    }

    async fn read_window(&self, key: &ConversationKey, query: WindowQuery) -> Answer<WindowRead> {
        self.store.read_window(key, query).await
    }

    async fn page(&self, key: &ConversationKey, query: PageQuery) -> Answer<Page> {
        self.store.page(key, query).await
    }

    async fn totals(&self, key: &ConversationKey) -> Answer<LedgerTotals> {
        self.store.totals(key).await
    }

    async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Answer<()> {
        self.store.set_counter(key, counter).await
    }

    async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Answer<()> {
        self.store.recount(namespace, counter).await
    }

    async fn pending(
        &self,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Answer<Vec<PendingConversation>> {
        self.store.pending(namespace, backlog, limit).await
    }

    async fn claim_pending(&self, claim: Claim) -> Answer<Claimed> {
        self.store.claim_pending(claim).await
    }

    async fn trim(&self, key: &ConversationKey, trim: Trim) -> Answer<Trimmed> {
        self.store.trim(key, trim).await
    }

    async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Answer<Dropped> {
        self.store.drop_newest(key, count).await
    }

    async fn put_head(&self, key: &ConversationKey, head: PutHead) -> Answer<()> {
        self.store.put_head(key, head).await
    }

    async fn archive(&self, key: &ConversationKey, archive: Archive) -> Answer<u64> {
        self.store.archive(key, archive).await
    }

    async fn stable_start(&self, key: &ConversationKey, start: StableStart) -> Answer<bool> {
        self.store.stable_start(key, start).await
    }

    async fn clear(&self, key: &ConversationKey) -> Answer<Cleared> {
        self.store.clear(key).await
    }

    async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Answer<bool> {
        self.store.expire(key, at).await
    }

    async fn list(&self, query: ListQuery) -> Answer<ListPage> {
        self.store.list(query).await
    }

    async fn probe(&self) -> Answer<Probe> {
        self.store.probe().await
    }

    async fn repair(&self, key: &ConversationKey, repair: Repair) -> Answer<RepairReport> {
        self.store.repair(key, repair).await
    }

    fn unsupported(&self, operation: &'static str) -> StoreError {
        self.store.unsupported(operation)
    }
}
