//! What goes into a conversation, and what comes out.

use memory_core::{Epoch, Message, MessageId, Seq, Tally, Totals};

/// A message to append, with the caller's id for it where there is one.
///
/// # Examples
///
/// ```
/// use memory_core::{Message, MessageId};
/// use memory_instance::Entry;
///
/// let plain: Entry = Message::user("Hello").into();
/// let repeatable = Entry::new(Message::user("Hello")).with_id(MessageId::new("request-7")?);
/// # Ok::<(), memory_core::IdError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Entry {
    pub(crate) message: Message,
    pub(crate) id: Option<MessageId>,
}

impl Entry {
    /// A message without an id: every append of it appends.
    pub fn new(message: Message) -> Self {
        Self { message, id: None }
    }

    /// Names the message, so that appending it again appends nothing.
    #[must_use]
    pub fn with_id(mut self, id: MessageId) -> Self {
        self.id = Some(id);
        self
    }
}

impl From<Message> for Entry {
    fn from(message: Message) -> Self {
        Self::new(message)
    }
}

/// What an append did with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The life of the conversation that the message belongs to.
    pub epoch: Epoch,
    /// The message's place.
    pub seq: Seq,
    /// False where the id was known, and nothing was written.
    pub new: bool,
    /// The message's tally as it is stored; none where a known message was trimmed, or was counted
    /// under another counter only.
    pub tally: Option<Tally>,
    /// The conversation's sums right after the append, the same for every message of a batch.
    pub totals: Totals,
    /// What becomes of the tally.
    pub settling: Settling,
}

/// What becomes of an appended message's tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Settling {
    /// It is counted already. Where a fallback has counted it, a sweep counts it anew later.
    NotNeeded,
    /// It waits in this memory's queue.
    Queued,
    /// No place was left in the queue; the sweep will count it.
    LeftToSweep,
}

/// A message in its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Its place.
    pub seq: Seq,
    /// Its tally under the memory's counter; none where that has not counted it yet.
    pub tally: Option<Tally>,
    /// The message.
    pub message: Message,
}

/// Some messages of a conversation, in the order of their seqs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerPage {
    /// The conversation's present life; none where it holds nothing.
    pub epoch: Option<Epoch>,
    /// The conversation's sums at the same moment.
    pub totals: Totals,
    /// The messages.
    pub entries: Vec<LedgerEntry>,
    /// Where the next page continues; none where this one is the last.
    pub next: Option<Seq>,
}
