//! What finds pendings in the model.

use std::collections::BTreeMap;

use memory_core::{
    Claim, Claimed, ClaimedConversation, ConversationKey, Namespace, PendingConversation, Timestamp,
};

use super::answers::{Model, is_over};
use super::conversation::Conversation;

impl Model {
    /// As [`MemoryStore::pending`](memory_core::MemoryStore::pending).
    pub fn pending(
        &self,
        now: Timestamp,
        namespace: &Namespace,
        limit: usize,
    ) -> Vec<PendingConversation> {
        let live = self.conversations.iter().filter(|(key, conversation)| {
            key.namespace == *namespace && !is_over(conversation, now)
        });
        let counted = live.map(|(key, conversation)| PendingConversation {
            key: key.clone(),
            pending: conversation.totals(&conversation.current).pending,
        });
        counted.filter(|conversation| conversation.pending > 0).take(limit).collect()
    }

    /// As [`MemoryStore::claim_pending`](memory_core::MemoryStore::claim_pending).
    pub fn claim_pending(&mut self, now: Timestamp, claim: &Claim) -> Claimed {
        self.end_what_is_over(now);
        if let Some(key) = &claim.only {
            self.set_counter(now, key, &claim.counter);
        }
        let mut claimed = Claimed::default();
        let mut left = claim.limit;
        for (key, conversation) in &mut self.conversations {
            let wanted = match &claim.only {
                Some(only) => key == only && conversation.due.is_some(),
                None => {
                    conversation.current == claim.counter
                        && conversation.due.is_some_and(|due| due <= now)
                }
            };
            if !wanted {
                continue;
            }
            if left == 0 {
                claimed.more = true;
                break;
            }
            let after = claim.only.as_ref().and(claim.after);
            let mut pendings = conversation.pendings(&claim.counter, after);
            let messages: Vec<_> = pendings.by_ref().take(left).collect();
            let more = pendings.next().is_some();
            drop(pendings);
            left -= messages.len();
            claimed.more |= more;
            conversation.due = Some(now.after(claim.lease));
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

    /// The conversations that no sweep may take now, and until when.
    pub(crate) fn leases(&self, now: Timestamp) -> BTreeMap<ConversationKey, Timestamp> {
        let due = |(key, conversation): (&ConversationKey, &Conversation)| {
            conversation.due.filter(|due| *due > now).map(|due| (key.clone(), due))
        };
        self.conversations.iter().filter_map(due).collect()
    }

    /// Ends a lease early, unless it is another one by now.
    pub(crate) fn end_lease(&mut self, now: Timestamp, key: &ConversationKey, held: Timestamp) {
        if let Some(conversation) = self.live_mut(now, key)
            && conversation.due == Some(held)
        {
            conversation.due = Some(now);
        }
    }
}
