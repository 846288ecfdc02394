//! What reads a conversation in the model.

use memory_core::{
    ConversationKey, CounterId, Page, PageQuery, Seq, StoredMessage, TailWalk, Tally, Timestamp,
    Totals, WindowQuery, WindowRead,
};

use super::answers::Model;
use super::conversation::Kept;

impl Model {
    /// As [`MemoryStore::read_window`](memory_core::MemoryStore::read_window), with the shortest
    /// tail that is allowed.
    pub fn read_window(
        &self,
        now: Timestamp,
        key: &ConversationKey,
        query: &WindowQuery,
    ) -> WindowRead {
        let Some(conversation) = self.live(now, key) else { return WindowRead::EMPTY };
        let stored = |(seq, kept): (&Seq, &Kept)| kept.stored(*seq, &query.counter);
        let least = |kept: &Kept| kept.lower_bound(&query.counter);
        let head: Vec<_> = conversation.head().map(stored).collect();
        let head_tokens = conversation.head().map(|(_, kept)| least(kept));
        let mut walk = TailWalk::new(query.budget, head_tokens.fold(0, u64::saturating_add));
        let mut tail = Vec::new();
        for (seq, kept) in conversation.behind_head().rev() {
            let step = walk.push(kept.class, least(kept));
            tail.push(stored((seq, kept)));
            if step.is_break() {
                break;
            }
        }
        tail.reverse();
        let first = conversation.first();
        WindowRead {
            epoch: Some(conversation.epoch),
            first,
            next_seq: conversation.next,
            totals: conversation.totals(&query.counter),
            head,
            reached_start: tail.first().is_none_or(|message| message.seq == first),
            tail,
        }
    }

    /// As [`MemoryStore::page`](memory_core::MemoryStore::page).
    pub fn page(&self, now: Timestamp, key: &ConversationKey, query: &PageQuery) -> Page {
        let Some(conversation) = self.live(now, key) else {
            return Page { epoch: None, totals: Totals::EMPTY, messages: Vec::new(), next: None };
        };
        let start = query.after.map_or(Seq::FIRST, |after| after.plus(1));
        let mut rest = conversation.messages.range(start..);
        let stored = |(seq, kept): (&Seq, &Kept)| kept.stored(*seq, &query.counter);
        let messages: Vec<_> = rest.by_ref().take(query.limit).map(stored).collect();
        let last = messages.last().map(|message| message.seq);
        Page {
            epoch: Some(conversation.epoch),
            totals: conversation.totals(&query.counter),
            messages,
            next: rest.next().and(last),
        }
    }

    /// Every retained message with its tally under a counter, oldest first.
    pub(crate) fn messages(
        &self,
        now: Timestamp,
        key: &ConversationKey,
        counter: &CounterId,
    ) -> Vec<StoredMessage> {
        let query = PageQuery { counter: counter.clone(), after: None, limit: usize::MAX };
        self.page(now, key, &query).messages
    }
}

/// What a message surely costs; one that was never counted may cost nothing.
pub(crate) fn lower_bound(message: &StoredMessage) -> u64 {
    message.tally.map_or(0, Tally::lower_bound)
}
