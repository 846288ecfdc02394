//! The model's state, and how each operation finds its conversation.

use std::collections::BTreeMap;

use memory_core::{
    Cleared, ConversationKey, ConversationSummary, CounterId, LedgerTotals, Limits, ListPage,
    ListQuery, Namespace, Timestamp,
};

use super::conversation::Conversation;

/// Every conversation, and the answers that a store must give.
///
/// Each method is one of the trait's, at a given moment.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub(super) conversations: BTreeMap<ConversationKey, Conversation>,
    /// The counters that are to become current in whole namespaces.
    pub(super) recounts: BTreeMap<Namespace, CounterId>,
    pub(super) limits: Limits,
}

impl Model {
    /// A model of a store that holds nothing and has these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// As [`MemoryStore::set_counter`](memory_core::MemoryStore::set_counter).
    pub fn set_counter(&mut self, now: Timestamp, key: &ConversationKey, counter: &CounterId) {
        if let Some(conversation) = self.live_mut(now, key) {
            conversation.switch_to(now, counter);
        }
    }

    /// As [`MemoryStore::recount`](memory_core::MemoryStore::recount).
    pub fn recount(&mut self, namespace: &Namespace, counter: &CounterId) {
        self.recounts.insert(namespace.clone(), counter.clone());
    }

    /// As [`MemoryStore::clear`](memory_core::MemoryStore::clear).
    pub fn clear(&mut self, now: Timestamp, key: &ConversationKey) -> Cleared {
        self.end_what_is_over(now);
        let gone = self.conversations.remove(key);
        Cleared { removed: gone.map_or(0, |gone| gone.messages.len() as u64) }
    }

    /// As [`MemoryStore::expire`](memory_core::MemoryStore::expire).
    pub fn expire(&mut self, now: Timestamp, key: &ConversationKey, at: Option<Timestamp>) -> bool {
        let Some(conversation) = self.live_mut(now, key) else { return false };
        conversation.ends = at;
        true
    }

    /// As [`MemoryStore::totals`](memory_core::MemoryStore::totals).
    pub fn totals(&self, now: Timestamp, key: &ConversationKey) -> LedgerTotals {
        let Some(conversation) = self.live(now, key) else { return LedgerTotals::default() };
        let counted = |counter: &CounterId| memory_core::CounterTotals {
            counter: counter.clone(),
            totals: conversation.totals(counter),
        };
        LedgerTotals {
            epoch: Some(conversation.epoch),
            messages: conversation.messages.len() as u64,
            current: Some(conversation.current.clone()),
            counters: conversation.counters.iter().map(counted).collect(),
        }
    }

    /// As [`MemoryStore::list`](memory_core::MemoryStore::list).
    pub fn list(&self, now: Timestamp, query: &ListQuery) -> ListPage {
        let mut rest = self.conversations.iter().filter(|(key, conversation)| {
            key.namespace == query.namespace
                && query.after.as_ref().is_none_or(|after| key.id > *after)
                && !is_over(conversation, now)
        });
        let summary =
            |(key, conversation): (&ConversationKey, &Conversation)| ConversationSummary {
                id: key.id.clone(),
                epoch: conversation.epoch,
                messages: conversation.messages.len() as u64,
                counter: conversation.current.clone(),
            };
        let conversations: Vec<_> = rest.by_ref().take(query.limit).map(summary).collect();
        let last = conversations.last().map(|summary| summary.id.clone());
        ListPage { conversations, next: rest.next().and(last) }
    }

    /// The conversation, unless it is over or never was.
    pub(crate) fn live(&self, now: Timestamp, key: &ConversationKey) -> Option<&Conversation> {
        self.conversations.get(key).filter(|conversation| !is_over(conversation, now))
    }

    pub(super) fn live_mut(
        &mut self,
        now: Timestamp,
        key: &ConversationKey,
    ) -> Option<&mut Conversation> {
        self.conversations.get_mut(key).filter(|conversation| !is_over(conversation, now))
    }

    pub(super) fn end_what_is_over(&mut self, now: Timestamp) {
        self.conversations.retain(|_, conversation| !is_over(conversation, now));
    }
}

pub(super) fn is_over(conversation: &Conversation, now: Timestamp) -> bool {
    conversation.ends.is_some_and(|end| end <= now)
}
