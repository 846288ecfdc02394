//! What reads a conversation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::class::MessageClass;
use crate::ids::{ConversationKey, CounterId};
use crate::ledger::Totals;
use crate::nonce::{Epoch, Fingerprint, Seq};
use crate::tally::Tally;

/// One message as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its place.
    pub seq: Seq,
    /// Its nonce.
    pub fingerprint: Fingerprint,
    /// Its part in groups.
    pub class: MessageClass,
    /// Its tally under the counter that was asked for; none where that has not counted it.
    pub tally: Option<Tally>,
    /// Its wire form.
    pub payload: Arc<str>,
}

impl fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredMessage")
            .field("seq", &self.seq)
            .field("fingerprint", &self.fingerprint)
            .field("class", &self.class)
            .field("tally", &self.tally)
            .field("payload_bytes", &self.payload.len())
            .finish()
    }
}

/// How much of a conversation's end to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowQuery {
    /// The counter whose tallies decide.
    pub counter: CounterId,
    /// The budget that the window will have, in tokens.
    pub budget: u64,
}

/// A conversation's head and enough of its end to fill a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowRead {
    /// The conversation's present life; none where there is no conversation.
    pub epoch: Option<Epoch>,
    /// The oldest message behind the head, or the next seq where there is none.
    pub first: Seq,
    /// The seq that the next append takes.
    pub next_seq: Seq,
    /// The sums under the query's counter, at the same moment.
    pub totals: Totals,
    /// The head, oldest first.
    pub head: Vec<StoredMessage>,
    /// The messages behind it, oldest first, contiguous to the newest.
    pub tail: Vec<StoredMessage>,
    /// Whether the tail begins at `first`.
    pub reached_start: bool,
}

impl WindowRead {
    /// What is read where there is no conversation.
    pub const EMPTY: Self = Self {
        epoch: None,
        first: Seq::FIRST,
        next_seq: Seq::FIRST,
        totals: Totals::EMPTY,
        head: Vec::new(),
        tail: Vec::new(),
        reached_start: true,
    };
}

/// Which messages to page through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageQuery {
    /// The counter whose tallies are wanted.
    pub counter: CounterId,
    /// Only messages after this one; none for the oldest.
    pub after: Option<Seq>,
    /// At most so many messages, at least 1.
    pub limit: usize,
}

/// Retained messages in the order of their seqs, the head's among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The conversation's present life; none where there is no conversation.
    pub epoch: Option<Epoch>,
    /// The sums under the query's counter, at the same moment.
    pub totals: Totals,
    /// The messages.
    pub messages: Vec<StoredMessage>,
    /// Where the next page continues; none where this one is the last.
    pub next: Option<Seq>,
}

/// Messages that background work has yet to count, by what they have until then.
///
/// Stores index the two apart: a service that is down leaves many fallback's counts behind, and
/// finding what is pending must not cost more for that.
///
/// Exhaustive on purpose: a store keeps an index for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backlog {
    /// No tally, or an estimated one.
    Pending,
    /// A fallback's count, to be replaced once the counter itself answers again.
    Fallback,
}

impl Backlog {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Pending, Self::Fallback];

    /// Whether a message with this tally under the conversation's current counter is part of it.
    pub fn holds(self, tally: Option<Tally>) -> bool {
        match self {
            Self::Pending => tally.is_none_or(Tally::is_pending),
            Self::Fallback => tally.is_some_and(Tally::is_fallback),
        }
    }

    /// How many messages of a conversation are part of it.
    pub const fn of(self, totals: &Totals) -> u64 {
        match self {
            Self::Pending => totals.pending,
            Self::Fallback => totals.fallback,
        }
    }
}

/// A conversation with something in a [`Backlog`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingConversation {
    /// The conversation.
    pub key: ConversationKey,
    /// How many of its messages are in the backlog, under its current counter.
    pub pending: u64,
}

/// What a sweep wants to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The counter that the sweep counts with. Conversations with another current counter are
    /// left alone, but for the one that is named, and for those that are to be
    /// [recounted](crate::MemoryStore::recount) with this one.
    pub counter: CounterId,
    /// Which messages are wanted.
    pub backlog: Backlog,
    /// Only this conversation, whoever holds its lease; it takes the counter as its current one.
    pub only: Option<ConversationKey>,
    /// Of the conversation that is named: only messages after this one.
    pub after: Option<Seq>,
    /// How long nobody else gets what is claimed.
    pub lease: Duration,
    /// At most so many messages in all, at least 1.
    pub limit: usize,
}

/// What a sweep was given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claimed {
    /// Conversations with messages of the backlog that nobody else is working on.
    pub conversations: Vec<ClaimedConversation>,
    /// Whether there may be more to claim.
    pub more: bool,
}

/// What is in the claimed backlog of one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedConversation {
    /// The conversation.
    pub key: ConversationKey,
    /// Its present life.
    pub epoch: Epoch,
    /// Its messages of the backlog, oldest first.
    pub messages: Vec<StoredMessage>,
    /// Whether it has more of them after the last of these.
    pub more: bool,
}
