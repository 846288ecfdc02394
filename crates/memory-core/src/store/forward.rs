//! Pointers to a store are that store.

use std::sync::Arc;

use async_trait::async_trait;

use super::admin::{
    Archive, Cleared, ListPage, ListQuery, Probe, PutHead, Repair, RepairReport, StableStart,
};
use super::capabilities::Capabilities;
use super::contract::MemoryStore;
use super::error::StoreError;
use super::read::{
    Backlog, Claim, Claimed, Page, PageQuery, PendingConversation, WindowQuery, WindowRead,
};
use super::write::{Append, Appended, Dropped, Settle, Settled, Trim, Trimmed};
use crate::clock::Timestamp;
use crate::ids::{ConversationKey, CounterId, Namespace};
use crate::ledger::LedgerTotals;

type Outcome<T> = Result<T, StoreError>;

macro_rules! forward {
    ($pointer:ident) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: MemoryStore + ?Sized> MemoryStore for $pointer<T> {
            fn capabilities(&self) -> Capabilities {
                (**self).capabilities()
            }

            async fn append(&self, key: &ConversationKey, append: Append) -> Outcome<Appended> {
                (**self).append(key, append).await
            }

            async fn settle(&self, key: &ConversationKey, settle: Settle) -> Outcome<Settled> {
                (**self).settle(key, settle).await
            }

            async fn read_window(
                &self,
                key: &ConversationKey,
                query: WindowQuery,
            ) -> Outcome<WindowRead> {
                (**self).read_window(key, query).await
            }

            async fn page(&self, key: &ConversationKey, query: PageQuery) -> Outcome<Page> {
                (**self).page(key, query).await
            }

            async fn totals(&self, key: &ConversationKey) -> Outcome<LedgerTotals> {
                (**self).totals(key).await
            }

            async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Outcome<()> {
                (**self).set_counter(key, counter).await
            }

            async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Outcome<()> {
                (**self).recount(namespace, counter).await
            }

            async fn pending(
                &self,
                namespace: &Namespace,
                backlog: Backlog,
                limit: usize,
            ) -> Outcome<Vec<PendingConversation>> {
                (**self).pending(namespace, backlog, limit).await
            }

            async fn claim_pending(&self, claim: Claim) -> Outcome<Claimed> {
                (**self).claim_pending(claim).await
            }

            async fn trim(&self, key: &ConversationKey, trim: Trim) -> Outcome<Trimmed> {
                (**self).trim(key, trim).await
            }

            async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Outcome<Dropped> {
                (**self).drop_newest(key, count).await
            }

            async fn put_head(&self, key: &ConversationKey, head: PutHead) -> Outcome<()> {
                (**self).put_head(key, head).await
            }

            async fn archive(&self, key: &ConversationKey, archive: Archive) -> Outcome<u64> {
                (**self).archive(key, archive).await
            }

            async fn stable_start(
                &self,
                key: &ConversationKey,
                start: StableStart,
            ) -> Outcome<bool> {
                (**self).stable_start(key, start).await
            }

            async fn clear(&self, key: &ConversationKey) -> Outcome<Cleared> {
                (**self).clear(key).await
            }

            async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Outcome<bool> {
                (**self).expire(key, at).await
            }

            async fn list(&self, query: ListQuery) -> Outcome<ListPage> {
                (**self).list(query).await
            }

            async fn probe(&self) -> Outcome<Probe> {
                (**self).probe().await
            }

            async fn repair(&self, key: &ConversationKey, repair: Repair) -> Outcome<RepairReport> {
                (**self).repair(key, repair).await
            }

            fn unsupported(&self, operation: &'static str) -> StoreError {
                (**self).unsupported(operation)
            }
        }
    };
}

forward!(Arc);
forward!(Box);
