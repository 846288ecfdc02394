//! What changes a conversation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::class::MessageClass;
use crate::ids::{CounterId, MessageId};
use crate::ledger::Totals;
use crate::message::Message;
use crate::nonce::{Epoch, Fingerprint, Seq};
use crate::tally::Tally;

/// A batch to append.
#[derive(Debug, Clone)]
pub struct Append {
    /// The counter of all the tallies; it becomes the conversation's current counter.
    pub counter: CounterId,
    /// The epoch to begin, where the conversation holds nothing.
    pub new_epoch: Epoch,
    /// The messages, in order.
    pub messages: Vec<NewMessage>,
    /// How long a sweep leaves what is pending here to the one who appends; zero where nobody is
    /// working on it.
    pub grace: Duration,
}

/// One message to append.
#[derive(Clone)]
pub struct NewMessage {
    /// The wire form.
    pub payload: Arc<str>,
    /// The message's part in groups.
    pub class: MessageClass,
    /// The message's nonce.
    pub fingerprint: Fingerprint,
    /// Its tally under the batch's counter.
    pub tally: Tally,
    /// The caller's id, where the caller gave one.
    pub id: Option<MessageId>,
}

impl NewMessage {
    /// A message to append without a caller's id.
    pub fn new(message: &Message, fingerprint: Fingerprint, tally: Tally) -> Self {
        let class = MessageClass::of(message);
        Self { payload: message.payload(), class, fingerprint, tally, id: None }
    }
}

impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMessage")
            .field("payload_bytes", &self.payload.len())
            .field("class", &self.class)
            .field("fingerprint", &self.fingerprint)
            .field("tally", &self.tally)
            .field("id", &self.id)
            .finish()
    }
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The conversation's present life.
    pub epoch: Epoch,
    /// One entry for each message of the batch, in its order.
    pub messages: Vec<AppendedMessage>,
    /// The sums under the batch's counter, right after the append.
    pub totals: Totals,
}

/// What an append did with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendedMessage {
    /// The message's place.
    pub seq: Seq,
    /// False where the caller's id was known: nothing was written for this message.
    pub new: bool,
    /// The message's stored tally under the batch's counter; none where the message was trimmed,
    /// or where a known message was never counted under it.
    pub tally: Option<Tally>,
    /// The stored message's nonce; none where the message was trimmed.
    pub fingerprint: Option<Fingerprint>,
}

/// Counts that replace what is stored.
#[derive(Debug, Clone)]
pub struct Settle {
    /// The counter of all the tallies.
    pub counter: CounterId,
    /// The life that the messages belong to; in another one nothing is done.
    pub epoch: Epoch,
    /// What to replace.
    pub settlements: Vec<Settlement>,
}

/// One tally to replace, where the stored one is still the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// The message's place.
    pub seq: Seq,
    /// The message's nonce.
    pub fingerprint: Fingerprint,
    /// The stored tally under this counter; none where there is none.
    pub expected: Option<Tally>,
    /// The tally to store.
    pub tally: Tally,
}

impl Settlement {
    /// Whether it would put a fallback's count in the place of one that the counter itself has
    /// made, or given up. Stores skip such settlements.
    pub fn steps_back(&self) -> bool {
        let counted = |tally: Tally| !tally.is_pending() && !tally.is_fallback();
        self.tally.is_fallback() && self.expected.is_some_and(counted)
    }
}

/// What a settle did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Tallies that were replaced.
    pub applied: u64,
    /// Settlements that no longer applied: repeated, trimmed, of an earlier life, or of a seq
    /// that belongs to another message now. And those that step back to a fallback's count.
    pub skipped: u64,
    /// The sums under the counter afterwards; those of an empty conversation where the epoch is
    /// another.
    pub totals: Totals,
}

/// What to remove at the old end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// The life that is meant; in another one nothing is done.
    pub epoch: Epoch,
    /// Everything older than this goes, in whole groups: the cut moves back to the front edge of
    /// a group that it would split.
    pub before: Seq,
}

/// What a trim did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trimmed {
    /// Messages that were removed.
    pub removed: u64,
    /// The oldest message behind the head afterwards, or the next seq where there is none.
    pub first: Seq,
}

/// What dropping the newest messages did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// Messages that were removed.
    pub removed: u64,
    /// The seq that the next append takes.
    pub next_seq: Seq,
}
