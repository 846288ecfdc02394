//! Reads and sweeps of a history.

use std::collections::BTreeMap;

use memory_core::{
    Backlog, Claim, ClaimedConversation, ConversationKey, PageQuery, Seq, Settle, Settlement,
    Tally, WindowQuery,
};

use super::world::World;
use crate::store::check_read;
use crate::verdict::{Verdict, ensure, ensure_eq};

impl World {
    pub(super) async fn window(&self, conversation: u8, counter: u8, budget: u64) -> Verdict {
        let (key, counter, now) = (self.key(conversation), self.counter(counter), self.now());
        let query = WindowQuery { counter: counter.clone(), budget };
        let expected = self.model.read_window(now, &key, &query);
        let found = self.store().read_window(&key, query).await?;
        ensure_eq!(found.epoch, expected.epoch, "the epoch of a window");
        ensure_eq!(found.totals, expected.totals, "totals of a window");
        ensure_eq!(found.next_seq, expected.next_seq, "the next seq of a window");
        let all = self.model.messages(now, &key, &counter);
        check_read(&all, expected.first, budget, &found)?;
        let (tail, needed) = (found.tail.len(), expected.tail.len());
        ensure!(tail >= needed, "{tail} messages at budget {budget}, and {needed} are needed");
        Ok(())
    }

    pub(super) async fn page(
        &self,
        conversation: u8,
        counter: u8,
        after: u8,
        limit: usize,
    ) -> Verdict {
        let key = self.key(conversation);
        let after = Seq::new(after.into());
        let query = PageQuery { counter: self.counter(counter), after, limit };
        let expected = self.model.page(self.now(), &key, &query);
        let found = self.store().page(&key, query).await?;
        ensure_eq!(found.epoch, expected.epoch, "the epoch of a page");
        ensure_eq!(found.messages, expected.messages, "messages of a page");
        ensure_eq!(found.next, expected.next, "where the next page continues");
        ensure_eq!(found.totals, expected.totals, "totals of a page");
        Ok(())
    }

    pub(super) async fn sweep(
        &mut self,
        counter: u8,
        backlog: Backlog,
        lease: u8,
        settle: bool,
    ) -> Verdict {
        let counter = self.counter(counter);
        let lease = self.span(lease);
        let claim = Claim { counter, backlog, only: None, after: None, lease, limit: 10_000 };
        self.claim(claim, settle).await
    }

    pub(super) async fn touch(
        &mut self,
        (conversation, counter): (u8, u8),
        backlog: Backlog,
        after: u8,
        limit: usize,
    ) -> Verdict {
        let only = Some(self.key(conversation));
        let (counter, lease) = (self.counter(counter), self.span(2));
        let claim = Claim { counter, backlog, only, after: Seq::new(after.into()), lease, limit };
        self.claim(claim, true).await
    }

    async fn claim(&mut self, claim: Claim, settle: bool) -> Verdict {
        let counter = claim.counter.clone();
        let found = self.store().claim_pending(claim.clone()).await?;
        let now = self.now();
        for claimed in &found.conversations {
            let held = (claimed.key.clone(), claim.backlog);
            if let Some(due) = self.unsure.remove(&held) {
                self.model.end_lease(now, &held, due);
            }
        }
        let expected = self.model.claim_pending(now, &claim);
        ensure!(found.more || !expected.more, "a claim leaves pendings, and tells of none");
        let found = by_key(found.conversations);
        ensure_eq!(found, by_key(expected.conversations), "what was claimed");
        for (key, claimed) in found {
            if settle {
                let settlements = claimed.messages.iter().map(|message| Settlement {
                    seq: message.seq,
                    fingerprint: message.fingerprint,
                    expected: message.tally,
                    tally: Tally::exact(message.payload.len() as u64 % 64),
                });
                let settlements = settlements.collect();
                let settle = Settle { counter: counter.clone(), epoch: claimed.epoch, settlements };
                self.settle_as(&key, settle).await?;
            }
            self.compare(&key).await?;
        }
        Ok(())
    }
}

/// Claimed conversations in the order of their keys; the store's own order is its choice, as is
/// whether a named one without pendings is told.
fn by_key(claimed: Vec<ClaimedConversation>) -> BTreeMap<ConversationKey, ClaimedConversation> {
    let some = claimed.into_iter().filter(|claimed| !claimed.messages.is_empty());
    some.map(|claimed| (claimed.key.clone(), claimed)).collect()
}
