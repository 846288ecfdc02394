//! What can go wrong in a store.

use std::error::Error;

use crate::ids::{ConversationKey, MessageId};
use crate::limits::LimitError;
use crate::nonce::Seq;

/// What can go wrong in a store. No variant carries content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The id is known with other content; nothing was written.
    #[error("message id {id:?} is known at seq {seq} with other content; nothing was written", id = id.as_str())]
    Conflict {
        /// The id that the caller gave.
        id: MessageId,
        /// Where the message with this id stands.
        seq: Seq,
    },
    /// Input is larger than a limit; nothing was written.
    #[error("nothing was written: {0}")]
    Limit(#[from] LimitError),
    /// The backend cannot do this.
    #[error("the {backend} store cannot {operation}")]
    Unsupported {
        /// The backend's name.
        backend: &'static str,
        /// The operation's name.
        operation: &'static str,
    },
    /// The operation was sent, and whether it happened is not known.
    ///
    /// An append with a caller's id may be repeated; one without may not.
    #[error("whether the {operation} happened is not known")]
    OutcomeUnknown {
        /// The operation's name.
        operation: &'static str,
        /// Why it is not known.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The operation did not end by its deadline, and had no effect.
    #[error("the {operation} did not end within {milliseconds} ms")]
    DeadlineExceeded {
        /// The operation's name.
        operation: &'static str,
        /// The deadline that was given, in milliseconds.
        milliseconds: u64,
    },
    /// Another process holds the store.
    #[error("{what} is in use by another process; stop that one, or name another store")]
    InUse {
        /// The file or address.
        what: String,
    },
    /// The store's format is another than this version of Turnledger reads.
    #[error("{what} has format {found}, and this version reads format {supported}")]
    UnknownFormat {
        /// The file or address.
        what: String,
        /// The format that was found.
        found: String,
        /// The format that this version reads.
        supported: String,
    },
    /// What is stored contradicts itself.
    #[error("{what} is damaged: {detail}")]
    Damaged {
        /// The file, or the conversation.
        what: String,
        /// What contradicts what.
        detail: &'static str,
    },
    /// A conversation's stored parts contradict each other; other conversations are not affected.
    #[error("conversation {key} is damaged: {detail}; repair it")]
    DamagedConversation {
        /// The conversation.
        key: ConversationKey,
        /// What contradicts what.
        detail: &'static str,
    },
    /// An earlier failure made the store unsafe to write; open it again.
    #[error("the store stopped after an earlier failure; open it again")]
    Poisoned,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The backend failed; the operation had no effect.
    #[error("the {operation} failed in the store")]
    Backend {
        /// The operation's name.
        operation: &'static str,
        /// Whether the same call may succeed later.
        retryable: bool,
        /// What the backend said.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anyone doing anything.
    ///
    /// False where the outcome is unknown: repeating is the caller's decision then.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::DeadlineExceeded { .. } | Self::InUse { .. } => true,
            Self::Backend { retryable, .. } => *retryable,
            _ => false,
        }
    }

    /// Whether the operation may have happened.
    pub const fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::OutcomeUnknown { .. })
    }
}
