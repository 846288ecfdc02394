//! A store behind a gate.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use memory_core::{
    Append, Appended, Archive, Backlog, Capabilities, Claim, Claimed, Cleared, ConversationKey,
    CounterId, Dropped, LedgerTotals, ListPage, ListQuery, MemoryStore, Namespace, Page, PageQuery,
    PendingConversation, Probe, PutHead, Repair, RepairReport, Settle, Settled, StableStart,
    StoreError, Timestamp, Trim, Trimmed, WindowQuery, WindowRead,
};

use super::barrier::{Gate, Place};

/// A store behind a gate.
///
/// What is refused before the operation is a retryable
/// [`Backend`](StoreError::Backend) error; what is refused behind it is
/// [`OutcomeUnknown`](StoreError::OutcomeUnknown).
#[derive(Debug)]
pub struct GatedStore {
    inner: Arc<dyn MemoryStore>,
    gate: Gate,
}

impl GatedStore {
    /// Puts a gate around every operation of a store.
    pub fn new(inner: Arc<dyn MemoryStore>, gate: Gate) -> Self {
        Self { inner, gate }
    }

    async fn gated<T>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = Outcome<T>>,
    ) -> Outcome<T> {
        if !self.gate.covers(operation) {
            return answer.await;
        }
        match self.gate.place() {
            Place::Before => {
                self.gate.pass().await.map_err(|refused| StoreError::Backend {
                    operation,
                    retryable: true,
                    source: Box::new(refused),
                })?;
                answer.await
            }
            Place::After => {
                let answer = answer.await?;
                self.gate.pass().await.map_err(|refused| StoreError::OutcomeUnknown {
                    operation,
                    source: Box::new(refused),
                })?;
                Ok(answer)
            }
        }
    }
}

type Outcome<T> = Result<T, StoreError>;

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl MemoryStore for GatedStore {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn append(&self, key: &ConversationKey, append: Append) -> Outcome<Appended> {
        self.gated("append", self.inner.append(key, append)).await
    }

    async fn settle(&self, key: &ConversationKey, settle: Settle) -> Outcome<Settled> {
        self.gated("settle", self.inner.settle(key, settle)).await
    }

    async fn read_window(&self, key: &ConversationKey, query: WindowQuery) -> Outcome<WindowRead> {
        self.gated("read_window", self.inner.read_window(key, query)).await
    }

    async fn page(&self, key: &ConversationKey, query: PageQuery) -> Outcome<Page> {
        self.gated("page", self.inner.page(key, query)).await
    }

    async fn totals(&self, key: &ConversationKey) -> Outcome<LedgerTotals> {
        self.gated("totals", self.inner.totals(key)).await
    }

    async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Outcome<()> {
        self.gated("set_counter", self.inner.set_counter(key, counter)).await
    }

    async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Outcome<()> {
        self.gated("recount", self.inner.recount(namespace, counter)).await
    }

    async fn pending(
        &self,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Outcome<Vec<PendingConversation>> {
        self.gated("pending", self.inner.pending(namespace, backlog, limit)).await
    }

    async fn claim_pending(&self, claim: Claim) -> Outcome<Claimed> {
        self.gated("claim_pending", self.inner.claim_pending(claim)).await
    }

    async fn trim(&self, key: &ConversationKey, trim: Trim) -> Outcome<Trimmed> {
        self.gated("trim", self.inner.trim(key, trim)).await
    }

    async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Outcome<Dropped> {
        self.gated("drop_newest", self.inner.drop_newest(key, count)).await
    }

    async fn put_head(&self, key: &ConversationKey, head: PutHead) -> Outcome<()> {
        self.gated("put_head", self.inner.put_head(key, head)).await
    }

    async fn archive(&self, key: &ConversationKey, archive: Archive) -> Outcome<u64> {
        self.gated("archive", self.inner.archive(key, archive)).await
    }

    async fn stable_start(&self, key: &ConversationKey, start: StableStart) -> Outcome<bool> {
        self.gated("stable_start", self.inner.stable_start(key, start)).await
    }

    async fn clear(&self, key: &ConversationKey) -> Outcome<Cleared> {
        self.gated("clear", self.inner.clear(key)).await
    }

    async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Outcome<bool> {
        self.gated("expire", self.inner.expire(key, at)).await
    }

    async fn list(&self, query: ListQuery) -> Outcome<ListPage> {
        self.gated("list", self.inner.list(query)).await
    }

    async fn probe(&self) -> Outcome<Probe> {
        self.gated("probe", self.inner.probe()).await
    }

    async fn repair(&self, key: &ConversationKey, repair: Repair) -> Outcome<RepairReport> {
        self.gated("repair", self.inner.repair(key, repair)).await
    }

    fn unsupported(&self, operation: &'static str) -> StoreError {
        self.inner.unsupported(operation)
    }
}
