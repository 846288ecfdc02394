//! What finds pendings in the model.

use std::collections::BTreeMap;

use memory_core::{
    Backlog, Claim, Claimed, ClaimedConversation, ConversationKey, CounterId, Namespace,
    PendingConversation, Timestamp,
};

use super::answers::{Model, is_over};

impl Model {
    /// As [`MemoryStore::pending`](memory_core::MemoryStore::pending).
    pub fn pending(
        &self,
        now: Timestamp,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Vec<PendingConversation> {
        let live = self.conversations.iter().filter(|(key, conversation)| {
            key.namespace == *namespace && !is_over(conversation, now)
        });
        let counted = live.map(|(key, conversation)| PendingConversation {
            key: key.clone(),
            pending: backlog.of(&conversation.totals(&conversation.current)),
        });
        counted.filter(|conversation| conversation.pending > 0).take(limit).collect()
    }

    /// As [`MemoryStore::claim_pending`](memory_core::MemoryStore::claim_pending).
    pub fn claim_pending(&mut self, now: Timestamp, claim: &Claim) -> Claimed {
        self.end_what_is_over(now);
        match &claim.only {
            Some(key) => self.set_counter(now, key, &claim.counter),
            None if claim.backlog == Backlog::Pending => self.switch_recounted(now, &claim.counter),
            None => {}
        }
        let mut claimed = Claimed::default();
        let mut left = claim.limit;
        for (key, conversation) in &mut self.conversations {
            let due = conversation.due.get(&claim.backlog);
            let wanted = match &claim.only {
                Some(only) => key == only && due.is_some(),
                None => conversation.current == claim.counter && due.is_some_and(|due| *due <= now),
            };
            if !wanted {
                continue;
            }
            if left == 0 {
                claimed.more = true;
                break;
            }
            let after = claim.only.as_ref().and(claim.after);
            let mut waiting = conversation.backlog(claim.backlog, &claim.counter, after);
            let messages: Vec<_> = waiting.by_ref().take(left).collect();
            let more = waiting.next().is_some();
            drop(waiting);
            left -= messages.len();
            claimed.more |= more;
            conversation.due.insert(claim.backlog, now.after(claim.lease));
            let epoch = conversation.epoch;
            claimed.conversations.push(ClaimedConversation {
                key: key.clone(),
                epoch,
                messages,
                more,
            });
        }
        claimed
    }

    /// Makes a counter the current one wherever it is to become that; all at once, as a model may.
    fn switch_recounted(&mut self, now: Timestamp, counter: &CounterId) {
        for (_, conversation) in self.conversations.iter_mut().filter(|(key, conversation)| {
            self.recounts.get(&key.namespace) == Some(counter) && conversation.current != *counter
        }) {
            conversation.switch_to(now, counter);
        }
        self.recounts.retain(|_, of| of != counter);
    }

    /// What no sweep may take now, and until when.
    pub(crate) fn leases(&self, now: Timestamp) -> BTreeMap<(ConversationKey, Backlog), Timestamp> {
        let all = self.conversations.iter().flat_map(|(key, conversation)| {
            conversation.due.iter().map(|(backlog, due)| ((key.clone(), *backlog), *due))
        });
        all.filter(|(_, due)| *due > now).collect()
    }

    /// Ends a lease early, unless it is another one by now.
    pub(crate) fn end_lease(
        &mut self,
        now: Timestamp,
        (key, backlog): &(ConversationKey, Backlog),
        held: Timestamp,
    ) {
        if let Some(due) =
            self.live_mut(now, key).and_then(|conversation| conversation.due.get_mut(backlog))
            && *due == held
        {
            *due = now;
        }
    }
}
