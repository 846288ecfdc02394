//! The store's handle.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use cache_redis::RedisPool;
use memory_core::{
    Append, Appended, Backlog, Capabilities, Claim, Claimed, Cleared, ConversationKey, CounterId,
    Dropped, LedgerTotals, ListPage, ListQuery, MemoryStore, Namespace, Page, PageQuery,
    PendingConversation, Probe, Repair, RepairReport, Settle, Settled, StoreError, Timestamp, Trim,
    Trimmed, WindowQuery, WindowRead,
};

use crate::builder::RedisStoreBuilder;
use crate::inner::Inner;
use crate::schema::{self, FORMAT};
use crate::{read, write};

const BACKEND: &str = "redis";

/// Conversations on Redis; see the [crate's documentation](crate).
///
/// Clones are the same store. It ends with the last one; the pool is the caller's.
#[derive(Clone)]
pub struct RedisStore {
    inner: Arc<Inner>,
}

impl RedisStore {
    /// Begins to say how a store on the servers of a pool is opened.
    pub fn builder(pool: RedisPool) -> RedisStoreBuilder {
        RedisStoreBuilder::new(pool)
    }

    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// The pool that the store was given.
    pub fn pool(&self) -> &RedisPool {
        &self.inner.client.pool
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("address", &self.inner.client.pool.address())
            .finish_non_exhaustive()
    }
}

type Outcome<T> = Result<T, StoreError>;

#[async_trait]
impl MemoryStore for RedisStore {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::minimal(BACKEND);
        capabilities.durable = true;
        capabilities.shared = true;
        capabilities.trim = true;
        capabilities.expire = true;
        capabilities.repair = true;
        capabilities.recount = true;
        capabilities
    }

    async fn append(&self, key: &ConversationKey, append: Append) -> Outcome<Appended> {
        let appended = write::append(&self.inner, key, append).await;
        appended.map_err(|fault| fault.explain("append", Some(key)))
    }

    async fn settle(&self, key: &ConversationKey, settle: Settle) -> Outcome<Settled> {
        let settled = write::settle(&self.inner, key, settle).await;
        settled.map_err(|fault| fault.explain("settle", Some(key)))
    }

    async fn read_window(&self, key: &ConversationKey, query: WindowQuery) -> Outcome<WindowRead> {
        let window = read::read_window(&self.inner, key, query).await;
        window.map_err(|fault| fault.explain_harmless("window read", Some(key)))
    }

    async fn page(&self, key: &ConversationKey, query: PageQuery) -> Outcome<Page> {
        let page = read::page(&self.inner, key, query).await;
        page.map_err(|fault| fault.explain_harmless("page read", Some(key)))
    }

    async fn totals(&self, key: &ConversationKey) -> Outcome<LedgerTotals> {
        let totals = read::totals(&self.inner, key).await;
        totals.map_err(|fault| fault.explain_harmless("totals", Some(key)))
    }

    async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Outcome<()> {
        let set = write::set_counter(&self.inner, key, counter).await;
        set.map_err(|fault| fault.explain("change of counter", Some(key)))
    }

    async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Outcome<()> {
        let noted = read::recount(&self.inner, namespace, counter).await;
        noted.map_err(|fault| fault.explain("recount", None))
    }

    async fn pending(
        &self,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Outcome<Vec<PendingConversation>> {
        let pending = read::pending(&self.inner, namespace, backlog, limit).await;
        pending.map_err(|fault| fault.explain_harmless("list of pendings", None))
    }

    async fn claim_pending(&self, claim: Claim) -> Outcome<Claimed> {
        let claimed = read::claim(&self.inner, &claim).await;
        // A lease that may have been taken saves work and guards nothing.
        claimed.map_err(|fault| fault.explain_harmless("claim", claim.only.as_ref()))
    }

    async fn trim(&self, key: &ConversationKey, trim: Trim) -> Outcome<Trimmed> {
        let trimmed = write::trim(&self.inner, key, trim).await;
        trimmed.map_err(|fault| fault.explain("trim", Some(key)))
    }

    async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Outcome<Dropped> {
        let dropped = write::drop_newest(&self.inner, key, count).await;
        dropped.map_err(|fault| fault.explain("drop of the newest", Some(key)))
    }

    async fn clear(&self, key: &ConversationKey) -> Outcome<Cleared> {
        let cleared = write::clear(&self.inner, key).await;
        cleared.map_err(|fault| fault.explain("clear", Some(key)))
    }

    async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Outcome<bool> {
        let expiry = write::expire(&self.inner, key, at).await;
        expiry.map_err(|fault| fault.explain("expiry", Some(key)))
    }

    async fn list(&self, query: ListQuery) -> Outcome<ListPage> {
        let list = read::list(&self.inner, &query).await;
        list.map_err(|fault| fault.explain_harmless("list", None))
    }

    async fn probe(&self) -> Outcome<Probe> {
        let probed = schema::time(&self.inner.client).await;
        probed.map_err(|fault| fault.explain_harmless("probe", None))?;
        Ok(Probe { backend: BACKEND, format: FORMAT.to_owned() })
    }

    async fn repair(&self, key: &ConversationKey, repair: Repair) -> Outcome<RepairReport> {
        let report = match repair {
            Repair::Mend => write::mend(&self.inner, key).await,
            _ => read::check(&self.inner, key)
                .await
                .map(|differences| RepairReport { differences, mended: false }),
        };
        report.map_err(|fault| fault.explain("repair", Some(key)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use cache_redis::{Loader, RedisSettings};
    use memory_core::{ConversationId, MemoryStoreExt, Tally};
    use memory_testkit::sample;
    use redis_testkit::RedisServer;

    use super::*;

    #[tokio::test]
    async fn a_wrong_idea_of_the_time_loses_no_message_that_was_acknowledged() {
        let server = RedisServer::builder().start().await.unwrap();
        let variables = BTreeMap::from([("REDIS_URL".to_owned(), server.url())]);
        let settings = Loader::new(RedisSettings::schema()).environment(variables).build();
        let settings = RedisSettings::settle(&mut settings.unwrap()).unwrap();
        let pool = RedisPool::builder(settings).build().await.unwrap();
        let builder = RedisStore::builder(pool).time_to_live(Some(Duration::from_hours(1)));
        let (store, counter) = (builder.connect().await.unwrap(), sample::counter("words"));
        let key = ConversationKey::new(Namespace::default(), ConversationId::new("one").unwrap());
        let user = || sample::user("hello", Tally::exact(5));
        let append = async |message| store.append(&key, sample::batch(&counter, [message])).await;
        let messages = async || store.totals(&key).await.unwrap().messages;
        // Long ago, as after a sleep of the machine or with a clock that was set.
        let wrong = || store.inner.time.heard(1_000_000);
        wrong();
        append(sample::with_id(user(), "id")).await.unwrap();
        assert_eq!(messages().await, 1, "by a script");
        wrong();
        append(user()).await.unwrap();
        assert_eq!(messages().await, 2, "where there is an end already");
        assert!(store.expire(&key, None).await.unwrap());
        append(sample::with_id(user(), "other")).await.unwrap();
        assert!(store.expire(&key, None).await.unwrap());
        let _ = store.totals(&key).await.unwrap();
        wrong();
        store.inner.time.sleep(Duration::from_hours(1));
        append(user()).await.unwrap();
        assert_eq!(messages().await, 4, "after a sleep");
        for stored in server.command(&["KEYS", "*{*}[mtpi]*"]).await.unwrap().array() {
            server.command(&["DEL", stored.text().unwrap()]).await.unwrap();
        }
        wrong();
        let error = append(user()).await.unwrap_err();
        assert!(error.is_outcome_unknown(), "{error:?}");
        append(user()).await.unwrap();
        assert_eq!(messages().await, 1);
        assert_eq!(store.totals_under(&key, &counter).await.unwrap().tokens, 5);
    }
}
