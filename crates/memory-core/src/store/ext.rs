//! Conveniences for callers of a store.

use async_trait::async_trait;

use super::contract::MemoryStore;
use super::error::StoreError;
use super::read::{PageQuery, StoredMessage};
use crate::ids::{ConversationKey, CounterId};
use crate::ledger::Totals;
use crate::nonce::Epoch;

/// What callers often want of a store, on top of what a store must implement.
#[async_trait]
pub trait MemoryStoreExt: MemoryStore {
    /// The conversation's sums under one counter.
    ///
    /// # Errors
    ///
    /// Those of [`MemoryStore::totals`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    async fn totals_under(
        &self,
        key: &ConversationKey,
        counter: &CounterId,
    ) -> Result<Totals, StoreError> {
        Ok(self.totals(key).await?.under(counter))
    }

    /// Every retained message, read page by page. Needs memory for all of them.
    ///
    /// A conversation that begins a new life meanwhile is read from its new beginning.
    ///
    /// # Errors
    ///
    /// Those of [`MemoryStore::page`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    async fn read_all(
        &self,
        key: &ConversationKey,
        counter: &CounterId,
    ) -> Result<(Option<Epoch>, Vec<StoredMessage>), StoreError> {
        let mut epoch = None;
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let query = PageQuery { counter: counter.clone(), after, limit: 1000 };
            let page = self.page(key, query).await?;
            if after.is_some() && page.epoch != epoch {
                (all, after) = (Vec::new(), None);
                continue;
            }
            epoch = page.epoch;
            all.extend(page.messages);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok((epoch, all)),
            }
        }
    }
}

impl<T: MemoryStore + ?Sized> MemoryStoreExt for T {}
