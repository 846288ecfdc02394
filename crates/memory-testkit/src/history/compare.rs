//! The store as a whole beside the model as a whole.

use std::collections::BTreeMap;

use memory_core::{
    Backlog, ConversationKey, ListQuery, MemoryStoreExt, Namespace, PendingConversation,
};

use super::world::World;
use crate::verdict::{Verdict, ensure, ensure_eq};

impl World {
    /// Compares sums and messages of one conversation under each counter.
    pub(super) async fn compare(&self, key: &ConversationKey) -> Verdict {
        let (now, store) = (self.now(), self.store());
        let expected = self.model.totals(now, key);
        let found = store.totals(key).await?;
        ensure_eq!(found.messages, expected.messages, "messages of {key}");
        ensure_eq!(found.epoch, expected.epoch, "the epoch of totals");
        ensure_eq!(found.current, expected.current, "the current counter of {key}");
        for entry in &found.counters {
            ensure!(self.counters.contains(&entry.counter), "totals name {:?}", entry.counter);
        }
        for counter in &self.counters {
            let (totals, sums) = (found.under(counter), expected.under(counter));
            ensure_eq!(totals, sums, "totals of {key} under {counter:?}");
            let (epoch, messages) = store.read_all(key, counter).await?;
            ensure_eq!(epoch, expected.epoch, "the epoch of pages");
            let own = self.model.messages(now, key, counter);
            ensure!(messages == own, "messages of {key}: found {messages:?}, expected {own:?}");
        }
        Ok(())
    }

    /// Compares every conversation, every namespace's list and its pendings.
    pub(super) async fn compare_all(&self) -> Verdict {
        for key in &self.keys {
            self.compare(key).await?;
        }
        for key in &self.keys {
            self.compare_list(&key.namespace, 2).await?;
            self.compare_pending(&key.namespace).await?;
        }
        Ok(())
    }

    /// Compares a namespace's list, read by pages of `limit`.
    pub(super) async fn compare_list(&self, namespace: &Namespace, limit: usize) -> Verdict {
        let all = ListQuery { namespace: namespace.clone(), after: None, limit: usize::MAX };
        let listed = self.model.list(self.now(), &all).conversations;
        let mut expected: BTreeMap<_, _> =
            listed.into_iter().map(|summary| (summary.id.clone(), summary)).collect();
        let mut after = None;
        for _ in 0..1000 {
            let query = ListQuery { namespace: namespace.clone(), after, limit };
            let page = self.store().list(query).await?;
            ensure!(page.conversations.len() <= limit, "more than {limit} in a page of a list");
            for summary in page.conversations {
                let own = expected.remove(&summary.id);
                ensure_eq!(Some(summary), own, "a listed conversation");
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        ensure!(after.is_none(), "a list does not come to an end");
        ensure!(expected.is_empty(), "not listed: {expected:?}");
        Ok(())
    }

    /// Compares a namespace's conversations with something in a backlog.
    pub(super) async fn compare_pending(&self, namespace: &Namespace) -> Verdict {
        for backlog in Backlog::ALL {
            self.compare_backlog(namespace, backlog).await?;
        }
        Ok(())
    }

    async fn compare_backlog(&self, namespace: &Namespace, backlog: Backlog) -> Verdict {
        let sorted = |mut found: Vec<PendingConversation>| {
            found.sort_by(|one, other| one.key.cmp(&other.key));
            found
        };
        let found = sorted(self.store().pending(namespace, backlog, 1000).await?);
        let expected = self.model.pending(self.now(), namespace, backlog, 1000);
        ensure_eq!(found, expected, "conversations that are listed as {backlog:?}");
        if expected.len() > 1 {
            let limited = self.store().pending(namespace, backlog, 1).await?;
            ensure_eq!(limited.len(), 1, "conversations that are listed, at most one");
        }
        Ok(())
    }
}
