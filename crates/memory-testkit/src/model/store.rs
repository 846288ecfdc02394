//! The model behind the trait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use memory_core::{
    Append, Appended, Backlog, Capabilities, Claim, Claimed, Cleared, Clock, ConversationKey,
    CounterId, Dropped, LedgerTotals, Limits, ListPage, ListQuery, MemoryStore, Namespace, Page,
    PageQuery, PendingConversation, Probe, Repair, RepairReport, Settle, Settled, StoreError,
    SystemClock, Timestamp, Trim, Trimmed, WindowQuery, WindowRead,
};

use super::answers::Model;

/// A store in memory that is right because it is plain: the model behind the trait.
///
/// Its cost grows with the history, so it is for tests only. It can do all that the trait
/// requires, and trims, expires and repairs; heads, archives and stable starts it cannot.
#[derive(Debug)]
pub struct ModelStore {
    model: Mutex<Model>,
    clock: Arc<dyn Clock>,
}

impl ModelStore {
    /// An empty store that tells the time by `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { model: Mutex::default(), clock }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { model: Mutex::new(Model::new(limits)), ..self }
    }

    /// Another store with the same content, as if this one had been closed and opened again.
    #[must_use]
    pub fn reopened(&self) -> Self {
        Self { model: Mutex::new(self.model().clone()), clock: Arc::clone(&self.clock) }
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        // A test that panicked elsewhere leaves the model as it stood, which is still sound.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Default for ModelStore {
    /// An empty store that tells the time by the machine's clock.
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

type Outcome<T> = Result<T, StoreError>;

#[async_trait]
impl MemoryStore for ModelStore {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::minimal("model");
        capabilities.trim = true;
        capabilities.expire = true;
        capabilities.repair = true;
        capabilities.recount = true;
        capabilities
    }

    async fn append(&self, key: &ConversationKey, append: Append) -> Outcome<Appended> {
        self.model().append(self.now(), key, &append)
    }

    async fn settle(&self, key: &ConversationKey, settle: Settle) -> Outcome<Settled> {
        Ok(self.model().settle(self.now(), key, &settle))
    }

    async fn read_window(&self, key: &ConversationKey, query: WindowQuery) -> Outcome<WindowRead> {
        Ok(self.model().read_window(self.now(), key, &query))
    }

    async fn page(&self, key: &ConversationKey, query: PageQuery) -> Outcome<Page> {
        Ok(self.model().page(self.now(), key, &query))
    }

    async fn totals(&self, key: &ConversationKey) -> Outcome<LedgerTotals> {
        Ok(self.model().totals(self.now(), key))
    }

    async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Outcome<()> {
        self.model().set_counter(self.now(), key, counter);
        Ok(())
    }

    async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Outcome<()> {
        self.model().recount(namespace, counter);
        Ok(())
    }

    async fn pending(
        &self,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Outcome<Vec<PendingConversation>> {
        Ok(self.model().pending(self.now(), namespace, backlog, limit))
    }

    async fn claim_pending(&self, claim: Claim) -> Outcome<Claimed> {
        Ok(self.model().claim_pending(self.now(), &claim))
    }

    async fn trim(&self, key: &ConversationKey, trim: Trim) -> Outcome<Trimmed> {
        Ok(self.model().trim(self.now(), key, trim))
    }

    async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Outcome<Dropped> {
        Ok(self.model().drop_newest(self.now(), key, count))
    }

    async fn clear(&self, key: &ConversationKey) -> Outcome<Cleared> {
        Ok(self.model().clear(self.now(), key))
    }

    async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Outcome<bool> {
        Ok(self.model().expire(self.now(), key, at))
    }

    async fn list(&self, query: ListQuery) -> Outcome<ListPage> {
        Ok(self.model().list(self.now(), &query))
    }

    async fn probe(&self) -> Outcome<Probe> {
        Ok(Probe { backend: "model", format: "none".to_owned() })
    }

    async fn repair(&self, _key: &ConversationKey, _repair: Repair) -> Outcome<RepairReport> {
        // No number is stored, so none can contradict the messages.
        Ok(RepairReport::default())
    }
}
