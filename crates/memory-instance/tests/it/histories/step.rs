//! What can happen in a history.

/// One step. Numbers stand for something only once it is taken, so that it means something in
/// every state and a failing history can be made shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Appends by several writers at the same time.
    Append(Vec<Writer>),
    /// Reads a window through one of the memories.
    Window { memory: u8, conversation: u8, budget: u16 },
    /// Sweeps through one of the memories, while the others go on.
    Sweep { memory: u8 },
    /// Settles one conversation.
    Settle { memory: u8, conversation: u8 },
    /// Lets everything be counted, and expects that it is.
    SettleAll { memory: u8 },
    /// Drops the newest messages.
    DropNewest { conversation: u8, count: u8 },
    /// Clears a conversation.
    Clear { conversation: u8 },
    /// The counter hangs from now on at the texts that say so.
    Hang,
    /// It goes on.
    GoOn,
    /// Leases and graces grow older.
    Advance { seconds: u8 },
    /// Ends a memory, with or without time for what is queued, and begins another in its place.
    Shutdown { memory: u8, patient: bool },
    /// Drops a memory without a shutdown, and begins another in its place.
    Abandon { memory: u8 },
    /// Kills the process, and begins again on what it left.
    Restart,
}

/// One writer: batches to one conversation, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Writer {
    pub(super) memory: u8,
    pub(super) conversation: u8,
    pub(super) batches: Vec<Vec<Draft>>,
}

/// A message to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) mood: Mood,
    pub(super) words: u8,
    /// The caller's id, of a few; the content is then the same each time.
    pub(super) id: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    System,
    User,
    Assistant,
    Call,
    Result,
}

/// What the counter does with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Counts,
    Fails,
    Panics,
    Hangs,
}
