//! One conversation as the model keeps it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use memory_core::{
    Backlog, CounterId, Epoch, Fingerprint, MessageClass, MessageId, Seq, StoredMessage, Tally,
    Timestamp, Totals,
};

/// One life of a conversation.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) epoch: Epoch,
    pub(crate) next: Seq,
    /// The oldest seq behind the head, once a trim has removed something.
    pub(crate) trimmed: Option<Seq>,
    pub(crate) messages: BTreeMap<Seq, Kept>,
    pub(crate) ids: BTreeMap<MessageId, Known>,
    /// In the order of their first use.
    pub(crate) counters: Vec<CounterId>,
    pub(crate) current: CounterId,
    pub(crate) ends: Option<Timestamp>,
    /// When a sweep may take what is in a backlog; no entry where nothing is.
    pub(crate) due: BTreeMap<Backlog, Timestamp>,
}

/// A retained message.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) payload: Arc<str>,
    pub(crate) class: MessageClass,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) tallies: BTreeMap<CounterId, Tally>,
}

/// What a caller's id stands for; it outlives the message where that is trimmed.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) seq: Seq,
    pub(crate) payload: Arc<str>,
}

impl Conversation {
    pub(crate) fn new(epoch: Epoch, counter: CounterId) -> Self {
        Self {
            epoch,
            next: Seq::FIRST,
            trimmed: None,
            messages: BTreeMap::new(),
            ids: BTreeMap::new(),
            counters: Vec::new(),
            current: counter,
            ends: None,
            due: BTreeMap::new(),
        }
    }

    /// The oldest seq behind the head, or the next one.
    ///
    /// While nothing was trimmed, the head is the run of instructions that the conversation
    /// begins with. A trim fixes it.
    pub(crate) fn first(&self) -> Seq {
        self.trimmed.unwrap_or_else(|| {
            let behind =
                self.messages.iter().find(|(_, kept)| kept.class != MessageClass::Instruction);
            behind.map_or(self.next, |(seq, _)| *seq)
        })
    }

    pub(crate) fn head(&self) -> impl DoubleEndedIterator<Item = (&Seq, &Kept)> {
        self.messages.range(..self.first())
    }

    pub(crate) fn behind_head(&self) -> impl DoubleEndedIterator<Item = (&Seq, &Kept)> {
        self.messages.range(self.first()..)
    }

    pub(crate) fn totals(&self, counter: &CounterId) -> Totals {
        let mut totals = Totals::EMPTY;
        for tally in self.messages.values().map(|kept| kept.tallies.get(counter)) {
            totals.messages += 1;
            totals.tokens = totals.tokens.saturating_add(tally.map_or(0, |tally| tally.tokens));
            totals.pending += u64::from(Backlog::Pending.holds(tally.copied()));
            totals.fallback += u64::from(Backlog::Fallback.holds(tally.copied()));
            totals.complete &= tally.is_some();
        }
        totals
    }

    pub(crate) fn backlog<'a>(
        &'a self,
        backlog: Backlog,
        counter: &'a CounterId,
        after: Option<Seq>,
    ) -> impl Iterator<Item = StoredMessage> {
        let waiting = self.messages.iter().filter(move |(seq, kept)| {
            let tally = kept.tallies.get(counter).copied();
            after.is_none_or(|after| **seq > after) && backlog.holds(tally)
        });
        waiting.map(move |(seq, kept)| kept.stored(*seq, counter))
    }

    /// Notes the counter's first use.
    pub(crate) fn use_counter(&mut self, counter: &CounterId) {
        if !self.counters.contains(counter) {
            self.counters.push(counter.clone());
        }
    }

    /// Brings the due times in line with what waits now: a lease or a grace that runs stays, and
    /// ends where nothing is left to do. Only what is pending has a grace.
    pub(crate) fn refresh_due(&mut self, now: Timestamp, grace: Duration) {
        for (backlog, grace) in [(Backlog::Pending, grace), (Backlog::Fallback, Duration::ZERO)] {
            if self.backlog(backlog, &self.current, None).next().is_some() {
                self.due.entry(backlog).or_insert_with(|| now.after(grace));
            } else {
                self.due.remove(&backlog);
            }
        }
    }

    /// Makes a counter the current one.
    pub(crate) fn switch_to(&mut self, now: Timestamp, counter: &CounterId) {
        self.current = counter.clone();
        self.use_counter(counter);
        self.refresh_due(now, Duration::ZERO);
    }

    /// Where a cut at `before` falls so that it splits no group, as far as classes tell.
    pub(crate) fn cut(&self, before: Seq) -> Seq {
        let before = before.min(self.next);
        let boundary = |(_, kept): &(&Seq, &Kept)| kept.class.is_boundary();
        let cut_off = self.messages.range(before..).take_while(|entry| !boundary(entry));
        let splits = cut_off.into_iter().any(|(_, kept)| kept.class == MessageClass::Result);
        match self.messages.range(..before).rev().find(boundary) {
            Some((seq, kept)) if splits && kept.class == MessageClass::Call => *seq,
            _ => before,
        }
    }
}

impl Kept {
    pub(crate) fn stored(&self, seq: Seq, counter: &CounterId) -> StoredMessage {
        StoredMessage {
            seq,
            fingerprint: self.fingerprint,
            class: self.class,
            tally: self.tallies.get(counter).copied(),
            payload: Arc::clone(&self.payload),
        }
    }

    /// The least that it costs under a counter, or half of what others say of it.
    pub(crate) fn lower_bound(&self, counter: &CounterId) -> u64 {
        let elsewhere = || self.tallies.values().map(|tally| tally.tokens / 2).max();
        let own = self.tallies.get(counter).map(|tally| tally.lower_bound());
        own.or_else(elsewhere).unwrap_or(0)
    }
}
