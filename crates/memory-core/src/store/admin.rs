//! What looks after conversations as a whole.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::ids::{ConversationId, CounterId, Namespace};
use crate::nonce::{Epoch, Fingerprint, Seq};
use crate::tally::Tally;

/// What clearing a conversation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cleared {
    /// Messages that were removed; 0 where the conversation held nothing.
    pub removed: u64,
}

/// Which conversations to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// The namespace.
    pub namespace: Namespace,
    /// Where to continue; none for the beginning.
    pub after: Option<ConversationId>,
    /// At most so many, at least 1.
    pub limit: usize,
}

/// Some conversations of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The conversations; their order is the store's own.
    pub conversations: Vec<ConversationSummary>,
    /// Where the next page continues; none where this one is the last.
    pub next: Option<ConversationId>,
}

/// One conversation in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSummary {
    /// Its id.
    pub id: ConversationId,
    /// Its present life.
    pub epoch: Epoch,
    /// Retained messages.
    pub messages: u64,
    /// Its current counter.
    pub counter: CounterId,
}

/// What a store says of itself when it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The backend's name.
    pub backend: &'static str,
    /// The version of the stored format.
    pub format: String,
}

/// How far a repair goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Repair {
    /// Finds what contradicts itself, and changes nothing.
    Check,
    /// Mends it.
    Mend,
}

/// What a repair found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RepairReport {
    /// What contradicted itself; empty where all is well.
    pub differences: Vec<Difference>,
    /// Whether it was mended.
    pub mended: bool,
}

/// A stored number that is not what the messages say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which number: `messages`, `tokens of o200k_base/openai-chat-1`, …
    pub what: String,
    /// What is stored.
    pub stored: u64,
    /// What the messages say.
    pub actual: u64,
}

/// Pins and a summary to put before the run of every window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutHead {
    /// The life that is meant.
    pub epoch: Epoch,
    /// Messages to keep in every window.
    pub pins: Vec<Seq>,
    /// What stands for older messages.
    pub summary: Option<Summary>,
}

/// A text that stands for a range of messages.
#[derive(Clone, PartialEq, Eq)]
pub struct Summary {
    /// The messages that it covers.
    pub covers: RangeInclusive<Seq>,
    /// The summary as a message, in the wire form.
    pub payload: Arc<str>,
    /// Its nonce.
    pub fingerprint: Fingerprint,
    /// The counter of its tally.
    pub counter: CounterId,
    /// Its tally.
    pub tally: Tally,
}

impl fmt::Debug for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Summary")
            .field("covers", &self.covers)
            .field("payload_bytes", &self.payload.len())
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

/// Messages to move out of the way of reads without losing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archive {
    /// The life that is meant.
    pub epoch: Epoch,
    /// Everything older than this.
    pub before: Seq,
}

/// Where windows shall begin, so that a provider's prompt cache keeps hitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StableStart {
    /// The life that is meant.
    pub epoch: Epoch,
    /// The start that is stored now; none where there is none.
    pub expected: Option<Seq>,
    /// The start to store.
    pub start: Seq,
}
