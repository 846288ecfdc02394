//! What a history knows while it runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use memory_core::{
    Backlog, ConversationId, ConversationKey, CounterId, Epoch, Fingerprint, MemoryStore,
    Namespace, Seq, Tally, Timestamp,
};

use crate::model::Model;
use crate::sample;
use crate::store::Subject;

/// The store, the model beside it, and what was written by now.
pub(super) struct World {
    pub(super) subject: Subject,
    pub(super) model: Model,
    pub(super) keys: Vec<ConversationKey>,
    pub(super) counters: [CounterId; 2],
    /// Every message that was ever appended, retained or not.
    pub(super) written: Vec<Written>,
    /// Leases that were held when the store was opened again. Whether they outlive that is the
    /// store's choice.
    pub(super) unsure: BTreeMap<(ConversationKey, Backlog), Timestamp>,
    start: Timestamp,
    advanced: Duration,
}

/// A message as it was appended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) conversation: usize,
    pub(super) epoch: Epoch,
    pub(super) seq: Seq,
    pub(super) fingerprint: Fingerprint,
    pub(super) tally: Tally,
}

impl World {
    pub(super) fn new(subject: Subject) -> Self {
        let run = format!("history-{:032x}", sample::random_bits());
        let key = |namespace: &str, id: &str| {
            let namespace = Namespace::new(format!("{run}{namespace}")).expect("the text is short");
            ConversationKey::new(namespace, ConversationId::new(id).expect("the text is short"))
        };
        Self {
            model: Model::new(subject.limits),
            keys: vec![key("", "one"), key("", "two"), key(":", "one"), key(":", "\0")],
            counters: [sample::counter("words"), sample::counter("letters")],
            written: Vec::new(),
            unsure: BTreeMap::new(),
            start: subject.now(),
            advanced: Duration::ZERO,
            subject,
        }
    }

    pub(super) fn store(&self) -> Arc<dyn MemoryStore> {
        Arc::clone(&self.subject.store)
    }

    pub(super) fn key(&self, conversation: u8) -> ConversationKey {
        self.keys[usize::from(conversation) % self.keys.len()].clone()
    }

    pub(super) fn counter(&self, counter: u8) -> CounterId {
        self.counters[usize::from(counter) % self.counters.len()].clone()
    }

    /// The model's moment. It stands still where the store's clock cannot be moved, which is
    /// right because all spans are then longer than any history runs.
    pub(super) fn now(&self) -> Timestamp {
        self.start.after(self.advanced)
    }

    pub(super) fn advance(&mut self, seconds: u8) {
        if let Some(clock) = &self.subject.clock {
            let span = Duration::from_secs(seconds.into());
            clock.advance(span);
            self.advanced += span;
        }
    }

    /// A span that ends half a second off every moment that a history sees, so that no answer
    /// hangs on whether its last millisecond is part of it.
    pub(super) fn span(&self, seconds: u8) -> Duration {
        match self.subject.clock {
            Some(_) => Duration::from_millis(u64::from(seconds) * 1000 + 500),
            None => Duration::from_hours(1),
        }
    }
}
