//! The store's handle.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use memory_core::{
    Append, Appended, Backlog, Capabilities, Claim, Claimed, Cleared, ConversationKey, CounterId,
    Dropped, LedgerTotals, ListPage, ListQuery, MemoryStore, Namespace, Page, PageQuery,
    PendingConversation, Probe, Repair, RepairReport, Settle, Settled, StoreError, Timestamp, Trim,
    Trimmed, WindowQuery, WindowRead,
};
use tokio::sync::{mpsc, oneshot};

use crate::builder::EmbeddedStoreBuilder;
use crate::error::{EmbeddedError, Fault};
use crate::job::Task;
use crate::read::{self, Claims};
use crate::readers::{Query, Reader};
use crate::schema::{FORMAT, storage_key};
use crate::shared::Shared;
use crate::threads::Threads;
use crate::write::{self, Batch, Prepared};
use crate::writer::Order;

const BACKEND: &str = "embedded";

/// Conversations in one file; see the [crate's documentation](crate).
///
/// Clones are the same store. When the last one is dropped, the store's threads do what was begun,
/// let go of the file and end, without anyone waiting for them; [`close`](Self::close) waits.
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    orders: mpsc::Sender<Order>,
    queries: mpsc::Sender<Query>,
    threads: Threads,
}

impl EmbeddedStore {
    /// Begins to say how a store is opened.
    ///
    /// # Examples
    ///
    /// ```
    /// use store_embedded::{Durability, EmbeddedStore};
    ///
    /// let directory = tempfile::tempdir()?;
    /// let store = EmbeddedStore::builder()
    ///     .path(directory.path().join("memory.redb"))
    ///     .durability(Durability::Relaxed)
    ///     .open()?;
    /// # drop(store);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> EmbeddedStoreBuilder {
        EmbeddedStoreBuilder::new()
    }

    pub(crate) fn new(
        shared: Arc<Shared>,
        orders: mpsc::Sender<Order>,
        queries: mpsc::Sender<Query>,
        threads: Threads,
    ) -> Self {
        Self { inner: Arc::new(Inner { shared, orders, queries, threads }) }
    }

    /// Does what was begun, ends the store's threads and lets go of the file. Operations that come
    /// later, through any clone, are [`StoreError::Closed`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before it is ready may leave the store open; it can be closed again.
    pub async fn close(&self) {
        // Where sending fails, the thread has ended already.
        let _ = self.inner.orders.send(Order::Close).await;
        let _ = self.inner.queries.send(Query::Close).await;
        self.inner.threads.ended().await;
    }

    /// Has the writer do something in its next transaction.
    async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        key: &ConversationKey,
        bytes: usize,
        run: impl FnOnce(&mut Batch<'_>, &[u8]) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stored_key = storage_key(key);
        let run = move |batch: &mut Batch<'_>| run(batch, &stored_key);
        self.order(operation, Some(key.clone()), bytes, run).await
    }

    /// The same, for what need not be about one conversation.
    async fn order<T: Send + 'static>(
        &self,
        operation: &'static str,
        key: Option<ConversationKey>,
        bytes: usize,
        run: impl FnOnce(&mut Batch<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, result) = oneshot::channel();
        let task = Task::new(operation, key, bytes, run, answer);
        let order = Order::Write(Box::new(task));
        self.inner.orders.send(order).await.map_err(|_| StoreError::Closed)?;
        result.await.unwrap_or_else(|_| {
            let source = Box::new(EmbeddedError::ThreadEnded);
            Err(StoreError::OutcomeUnknown { operation, source })
        })
    }

    /// Makes a counter current in some of the conversations that are to be recounted with it, if
    /// there are any; whether there are more.
    async fn continue_recount(&self, counter: &CounterId) -> Result<bool, StoreError> {
        const OPERATION: &str = "recount";
        let own = counter.clone();
        let look = move |reader: &Reader, shared: &Shared| {
            read::is_recounting(&reader.begin()?, shared, &own)
        };
        if !self.read(OPERATION, None, look).await? {
            return Ok(false);
        }
        let own = counter.clone();
        let run = move |batch: &mut Batch<'_>| write::continue_recount(batch, &own);
        self.order(OPERATION, None, LARGE, run).await
    }

    /// Has a reader look something up.
    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        key: Option<&ConversationKey>,
        read: impl FnOnce(&Reader, &Shared) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, result) = oneshot::channel();
        let key = key.cloned();
        let query = move |reader: &Reader| reader.answer(operation, key.as_ref(), answer, read);
        let query = Query::Read(Box::new(query));
        self.inner.queries.send(query).await.map_err(|_| StoreError::Closed)?;
        result.await.unwrap_or_else(|_| {
            let source = Box::new(EmbeddedError::ThreadEnded);
            Err(StoreError::Backend { operation, retryable: false, source })
        })
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("what", &self.inner.shared.what)
            .finish_non_exhaustive()
    }
}

type Outcome<T> = Result<T, StoreError>;

/// Bytes that an operation without payloads adds to a transaction, about.
const SMALL: usize = 256;
/// Bytes that a step of a recount adds to a transaction, about.
const LARGE: usize = 256 << 10;

#[async_trait]
impl MemoryStore for EmbeddedStore {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::minimal(BACKEND);
        capabilities.durable = self.inner.shared.durable;
        capabilities.trim = true;
        capabilities.expire = true;
        capabilities.repair = true;
        capabilities.recount = true;
        capabilities
    }

    async fn append(&self, key: &ConversationKey, append: Append) -> Outcome<Appended> {
        let shared = &self.inner.shared;
        let prepared = Prepared::new(key, append, &shared.limits, &shared.digests)?;
        let bytes = prepared.bytes();
        self.write("append", key, bytes, move |batch, key| write::append(batch, key, &prepared))
            .await
    }

    async fn settle(&self, key: &ConversationKey, settle: Settle) -> Outcome<Settled> {
        let bytes = SMALL + settle.settlements.len() * 32;
        self.write("settle", key, bytes, move |batch, key| write::settle(batch, key, &settle)).await
    }

    async fn read_window(&self, key: &ConversationKey, query: WindowQuery) -> Outcome<WindowRead> {
        let own = key.clone();
        self.read("window read", Some(key), move |reader, shared| {
            read::read_window(&reader.begin()?, shared, &own, &query)
        })
        .await
    }

    async fn page(&self, key: &ConversationKey, query: PageQuery) -> Outcome<Page> {
        let own = key.clone();
        self.read("page read", Some(key), move |reader, shared| {
            read::page(&reader.begin()?, shared, &own, &query)
        })
        .await
    }

    async fn totals(&self, key: &ConversationKey) -> Outcome<LedgerTotals> {
        let own = key.clone();
        self.read("totals", Some(key), move |reader, shared| {
            read::totals(&reader.begin()?, shared, &own)
        })
        .await
    }

    async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Outcome<()> {
        let counter = counter.clone();
        self.write("change of counter", key, SMALL, move |batch, key| {
            write::set_counter(batch, key, &counter)
        })
        .await
    }

    async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Outcome<()> {
        let (namespace, counter) = (namespace.clone(), counter.clone());
        self.order("recount", None, SMALL, move |batch| write::recount(batch, &namespace, &counter))
            .await
    }

    async fn pending(
        &self,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Outcome<Vec<PendingConversation>> {
        let namespace = namespace.clone();
        self.read("list of pendings", None, move |reader, shared| {
            read::pending(&reader.begin()?, shared, &namespace, backlog, limit)
        })
        .await
    }

    async fn claim_pending(&self, claim: Claim) -> Outcome<Claimed> {
        let recounts = claim.only.is_none() && claim.backlog == Backlog::Pending;
        let unseen = recounts && self.continue_recount(&claim.counter).await?;
        loop {
            let own = claim.clone();
            let claims = self.read("claim", claim.only.as_ref(), move |reader, shared| {
                read::claim(|| reader.begin(), shared, &own)
            });
            match (claims.await?, &claim.only) {
                (Claims::Claimed(claimed), _) => {
                    return Ok(Claimed { more: claimed.more || unseen, ..claimed });
                }
                // Another one may change it again in between; then it is changed again.
                (Claims::OtherCounter, Some(key)) => self.set_counter(key, &claim.counter).await?,
                (Claims::OtherCounter, None) => return Ok(Claimed::default()),
            }
        }
    }

    async fn trim(&self, key: &ConversationKey, trim: Trim) -> Outcome<Trimmed> {
        self.write("trim", key, SMALL, move |batch, key| write::trim(batch, key, trim)).await
    }

    async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Outcome<Dropped> {
        self.write("drop of the newest", key, SMALL, move |batch, key| {
            write::drop_newest(batch, key, count)
        })
        .await
    }

    async fn clear(&self, key: &ConversationKey) -> Outcome<Cleared> {
        self.write("clear", key, SMALL, write::clear).await
    }

    async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Outcome<bool> {
        self.write("expiry", key, SMALL, move |batch, key| write::expire(batch, key, at)).await
    }

    async fn list(&self, query: ListQuery) -> Outcome<ListPage> {
        self.read("list", None, move |reader, shared| read::list(&reader.begin()?, shared, &query))
            .await
    }

    async fn probe(&self) -> Outcome<Probe> {
        self.read("probe", None, |reader, _| {
            reader.begin()?.meta()?;
            Ok(Probe { backend: BACKEND, format: FORMAT.to_string() })
        })
        .await
    }

    async fn repair(&self, key: &ConversationKey, repair: Repair) -> Outcome<RepairReport> {
        if repair == Repair::Mend {
            return self.write("repair", key, SMALL, write::mend).await;
        }
        let own = key.clone();
        self.read("check", Some(key), move |reader, shared| {
            read::check(&reader.begin()?, shared, &own)
        })
        .await
    }
}
