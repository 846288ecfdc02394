//! What can happen in a history.

/// One operation of a history.
///
/// Numbers are small and stand for something only once the step is taken: a conversation by its
/// place among four, a message by how long ago it was written. So a step means something in every
/// state, and a failing history stays one while it is made shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Appends a batch.
    Append {
        /// Where.
        conversation: u8,
        /// The first or the second counter.
        counter: u8,
        /// The messages.
        messages: Vec<Draft>,
        /// Whether sweeps leave the batch to the one who appends.
        grace: bool,
    },
    /// Settles some messages that were written before.
    Settle {
        /// Where.
        conversation: u8,
        /// The first or the second counter.
        counter: u8,
        /// The life that is named.
        epoch: EpochOf,
        /// What is settled.
        picks: Vec<Pick>,
    },
    /// Trims, keeping so many of the newest messages.
    Trim {
        /// Where.
        conversation: u8,
        /// How many seqs before the next one the cut is asked for.
        keep: u8,
        /// Whether an epoch that never was is named.
        wrong_epoch: bool,
    },
    /// Drops the newest messages.
    DropNewest {
        /// Where.
        conversation: u8,
        /// How many.
        count: u8,
    },
    /// Clears a conversation.
    Clear {
        /// Which.
        conversation: u8,
    },
    /// Sets or takes back the time at which a conversation ends.
    Expire {
        /// Which.
        conversation: u8,
        /// Seconds from now.
        seconds: Option<u8>,
    },
    /// Moves the clock on.
    Advance {
        /// By so many seconds.
        seconds: u8,
    },
    /// Makes a counter the current one.
    SetCounter {
        /// Where.
        conversation: u8,
        /// The first or the second counter.
        counter: u8,
    },
    /// Has a whole namespace counted under a counter.
    Recount {
        /// The namespace of this conversation.
        conversation: u8,
        /// The first or the second counter.
        counter: u8,
    },
    /// Reads for a window.
    Window {
        /// Where.
        conversation: u8,
        /// The first or the second counter.
        counter: u8,
        /// Its budget.
        budget: u16,
    },
    /// Reads one page.
    Page {
        /// Where.
        conversation: u8,
        /// The first or the second counter.
        counter: u8,
        /// After this seq; 0 for the beginning.
        after: u8,
        /// At most so many.
        limit: u8,
    },
    /// Claims what is due and settles it.
    Sweep {
        /// The first or the second counter.
        counter: u8,
        /// Whether what fallbacks counted is claimed, and not what is pending.
        fallbacks: bool,
        /// Seconds of the lease.
        lease: u8,
        /// Whether what was claimed is settled, or left to its lease.
        settle: bool,
    },
    /// Claims some messages of one conversation and settles them.
    Touch {
        /// Which.
        conversation: u8,
        /// The first or the second counter.
        counter: u8,
        /// Whether what fallbacks counted is claimed, and not what is pending.
        fallbacks: bool,
        /// After this seq; 0 for the beginning.
        after: u8,
        /// At most so many.
        limit: u8,
    },
    /// Lists a namespace and its pendings.
    List {
        /// The namespace of this conversation.
        conversation: u8,
        /// Conversations in a page.
        limit: u8,
    },
    /// Ends the store as a crash would, and opens it again.
    Reopen,
}

/// A message to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Its part in groups; messages with an id are user messages.
    pub kind: Kind,
    /// Its tally.
    pub tally: DraftTally,
    /// Its text's length.
    pub length: u16,
    /// The caller's id, and whether its content is another than usual.
    pub id: Option<(u8, bool)>,
}

/// A message's part in groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A system message.
    System,
    /// A user message.
    User,
    /// An assistant message.
    Assistant,
    /// An assistant message that calls a tool.
    Call,
    /// A result of the call.
    Result,
    /// A function message.
    Function,
}

/// The tally of a [`Draft`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftTally {
    /// An estimate.
    Estimated(u16),
    /// A count.
    Exact(u16),
    /// A documented figure.
    Media(u16),
    /// What a fallback counted.
    Fallback(u16),
}

/// The life that a settle names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochOf {
    /// That in which the first picked message was written.
    Message,
    /// The present one.
    Now,
    /// One that never was.
    Nowhere,
}

/// One message to settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// How long ago it was written; retained or not.
    pub back: u8,
    /// The count.
    pub tokens: u16,
    /// Whether a fallback made it.
    pub fallback: bool,
    /// What is wrong with it.
    pub stale: Stale,
}

/// What is wrong with a settlement, besides its message being gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// Nothing.
    No,
    /// Another message's fingerprint.
    Fingerprint,
    /// A tally that is not stored.
    Expected,
    /// No tally, where there may be one.
    Missing,
    /// The tally that the message was written with.
    Written,
    /// The tally that an earlier settlement of the same call is to store.
    Chained,
}
