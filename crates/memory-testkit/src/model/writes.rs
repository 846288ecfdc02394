//! What changes a conversation in the model.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use memory_core::{
    Append, Appended, AppendedMessage, ConversationKey, CounterId, Dropped, LimitError, LimitKind,
    NewMessage, Seq, Settle, Settled, StoreError, Timestamp, Totals, Trim, Trimmed,
};

use super::answers::Model;
use super::conversation::{Conversation, Kept, Known};

impl Model {
    /// As [`MemoryStore::append`](memory_core::MemoryStore::append).
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] and [`StoreError::Limit`], as a store's.
    pub fn append(
        &mut self,
        now: Timestamp,
        key: &ConversationKey,
        append: &Append,
    ) -> Result<Appended, StoreError> {
        self.check_limits(append)?;
        self.end_what_is_over(now);
        // The change is made to a copy, so that a conflict leaves nothing behind.
        let mut conversation = self
            .conversations
            .get(key)
            .cloned()
            .unwrap_or_else(|| Conversation::new(append.new_epoch, append.counter.clone()));
        let mut messages = Vec::with_capacity(append.messages.len());
        for message in &append.messages {
            messages.push(conversation.append_one(&append.counter, message)?);
        }
        if messages.iter().any(|message| message.new) {
            conversation.current = append.counter.clone();
            conversation.use_counter(&append.counter);
            conversation.refresh_due(now, append.grace);
            self.conversations.insert(key.clone(), conversation.clone());
        }
        let (epoch, totals) = (conversation.epoch, conversation.totals(&append.counter));
        Ok(Appended { epoch, messages, totals })
    }

    /// As [`MemoryStore::settle`](memory_core::MemoryStore::settle).
    pub fn settle(&mut self, now: Timestamp, key: &ConversationKey, settle: &Settle) -> Settled {
        let skipped = settle.settlements.len() as u64;
        let nothing = Settled { applied: 0, skipped, totals: Totals::EMPTY };
        let Some(conversation) = self.live_mut(now, key) else { return nothing };
        if conversation.epoch != settle.epoch {
            return nothing;
        }
        let mut applied = 0;
        let before = conversation.messages.clone();
        for settlement in &settle.settlements {
            let Some(kept) = conversation.messages.get_mut(&settlement.seq) else { continue };
            let is_expected =
                |kept: &Kept| kept.tallies.get(&settle.counter).copied() == settlement.expected;
            if kept.fingerprint == settlement.fingerprint
                && !settlement.steps_back()
                && is_expected(kept)
                && is_expected(&before[&settlement.seq])
            {
                kept.tallies.insert(settle.counter.clone(), settlement.tally);
                applied += 1;
            }
        }
        if applied > 0 {
            conversation.use_counter(&settle.counter);
            conversation.refresh_due(now, Duration::ZERO);
        }
        let totals = conversation.totals(&settle.counter);
        Settled { applied, skipped: skipped - applied, totals }
    }

    /// As [`MemoryStore::trim`](memory_core::MemoryStore::trim).
    pub fn trim(&mut self, now: Timestamp, key: &ConversationKey, trim: Trim) -> Trimmed {
        let Some(conversation) = self.live_mut(now, key) else {
            return Trimmed { removed: 0, first: Seq::FIRST };
        };
        let (first, cut) = (conversation.first(), conversation.cut(trim.before));
        if conversation.epoch != trim.epoch || cut <= first {
            return Trimmed { removed: 0, first };
        }
        let before = conversation.messages.len();
        conversation.messages.retain(|seq, _| *seq < first || *seq >= cut);
        conversation.trimmed = Some(cut);
        conversation.refresh_due(now, Duration::ZERO);
        Trimmed { removed: (before - conversation.messages.len()) as u64, first: cut }
    }

    /// As [`MemoryStore::drop_newest`](memory_core::MemoryStore::drop_newest).
    pub fn drop_newest(&mut self, now: Timestamp, key: &ConversationKey, count: u64) -> Dropped {
        let Some(conversation) = self.live_mut(now, key) else {
            return Dropped { removed: 0, next_seq: Seq::FIRST };
        };
        let mut removed = 0;
        while removed < count {
            let Some((seq, _)) = conversation.messages.pop_last() else { break };
            conversation.ids.retain(|_, known| known.seq != seq);
            // Seqs that a trim has passed are never given back.
            conversation.next = seq.max(conversation.trimmed.unwrap_or(Seq::FIRST));
            removed += 1;
        }
        conversation.refresh_due(now, Duration::ZERO);
        Dropped { removed, next_seq: conversation.next }
    }

    fn check_limits(&self, append: &Append) -> Result<(), LimitError> {
        self.limits.check(LimitKind::BatchMessages, append.messages.len())?;
        append.messages.iter().try_for_each(|message| {
            self.limits.check(LimitKind::MessageBytes, message.payload.len())
        })
    }
}

impl Conversation {
    fn append_one(
        &mut self,
        counter: &CounterId,
        message: &NewMessage,
    ) -> Result<AppendedMessage, StoreError> {
        if let Some((id, known)) = message.id.as_ref().and_then(|id| self.ids.get_key_value(id)) {
            if known.payload != message.payload {
                return Err(StoreError::Conflict { id: id.clone(), seq: known.seq });
            }
            let kept = self.messages.get(&known.seq);
            return Ok(AppendedMessage {
                seq: known.seq,
                new: false,
                tally: kept.and_then(|kept| kept.tallies.get(counter).copied()),
                fingerprint: kept.map(|kept| kept.fingerprint),
            });
        }
        let seq = self.next;
        self.next = seq.plus(1);
        if let Some(id) = &message.id {
            self.ids.insert(id.clone(), Known { seq, payload: Arc::clone(&message.payload) });
        }
        let kept = Kept {
            payload: Arc::clone(&message.payload),
            class: message.class,
            fingerprint: message.fingerprint,
            tallies: BTreeMap::from([(counter.clone(), message.tally)]),
        };
        self.messages.insert(seq, kept);
        let (tally, fingerprint) = (Some(message.tally), Some(message.fingerprint));
        Ok(AppendedMessage { seq, new: true, tally, fingerprint })
    }
}
