//! What a writer says of its work: before each operation, and after it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::content::Item;

/// One line of a writer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Record {
    /// The process runs, and begins to open the store.
    Started,
    /// The store is open.
    Opened,
    /// An operation begins.
    Begun { writer: u16, operation: Operation },
    /// An operation was answered.
    Done { writer: u16, answer: Answer },
    /// All writers are through.
    Ended,
    /// A writer saw what must not be.
    Broken { detail: String },
}

/// An operation on a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Operation {
    /// The conversation's number.
    pub(super) conversation: u16,
    pub(super) action: Action,
}

/// What is done to a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Action {
    Append(Vec<Item>),
    DropNewest(u64),
    Clear,
    Trim { epoch: String, before: u64 },
}

/// What the memory answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    Appended(Appended),
    Dropped {
        removed: u64,
        next: u64,
    },
    Cleared {
        removed: u64,
    },
    Trimmed {
        removed: u64,
        first: u64,
    },
    /// An id was known with other content.
    Conflict,
    /// An error that says that nothing was written.
    Failed {
        error: String,
        /// Whether it says that another try may help.
        retryable: bool,
    },
    /// An error that says that the outcome is not known.
    Unknown {
        error: String,
    },
}

/// The receipts of an append.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Appended {
    pub(super) epoch: String,
    /// For each message its seq, and whether it was new.
    pub(super) places: Vec<(u64, bool)>,
    /// The totals right after the append.
    pub(super) messages: u64,
    pub(super) tokens: u64,
    pub(super) pending: u64,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} on conversation {}", self.action, self.conversation)
    }
}

impl Answer {
    /// Whether it says that the operation happened.
    pub(super) const fn is_acknowledgement(&self) -> bool {
        !matches!(self, Self::Conflict | Self::Failed { .. } | Self::Unknown { .. })
    }
}
