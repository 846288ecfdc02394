//! What can go wrong with a memory.

use memory_core::window::WindowError;
use memory_core::{
    ConversationKey, CountError, IdError, LimitError, MessageError, Seq, StoreError,
};

/// What can go wrong with a memory. No variant carries content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Input is larger than a limit; nothing was done.
    #[error("nothing was done: {0}")]
    Limit(#[from] LimitError),
    /// An id cannot be used; nothing was done.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The redactor failed; nothing was written.
    #[error("the message could not be redacted, so nothing was written")]
    Redact {
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A message could not be counted before the write, and the policy asks for that; nothing was
    /// written.
    #[error("the message was not counted, so nothing was written")]
    Count {
        /// Why not.
        #[from]
        source: CountError,
    },
    /// No window fits the budget.
    #[error(transparent)]
    Window(#[from] WindowError),
    /// A window needs counts that were not ready in time, or that only a fallback has made, and the
    /// counter has no upper bound.
    #[error(
        "{messages} messages could not be counted in time, and the counter knows no upper bound; \
         ask again, or raise counter.deadline"
    )]
    Uncounted {
        /// How many.
        messages: u64,
        /// Why the last of them was not counted.
        source: CountError,
    },
    /// A stored message is none.
    #[error("conversation {key} holds no message at seq {seq}")]
    Unreadable {
        /// The conversation.
        key: ConversationKey,
        /// The message's place.
        seq: Seq,
        /// What is wrong with it.
        source: MessageError,
    },
    /// A setting of the memory cannot be used.
    #[error("{setting} cannot be {value}: {expected}")]
    Setting {
        /// The setting's key.
        setting: &'static str,
        /// The value.
        value: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Something that a memory is made of was not given.
    #[error("the memory has no {what}; give it one with MemoryBuilder::{what}")]
    Missing {
        /// `store` or `counter`.
        what: &'static str,
    },
    /// The counting pool could not be built.
    #[error("the counting pool cannot be built")]
    Pool {
        /// Why not.
        #[from]
        source: tokens::BuildError,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random {
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A memory is built and used inside a tokio runtime, and there is none.
    #[error("no tokio runtime is running here; build the memory inside one")]
    NoRuntime,
    /// The memory was shut down.
    #[error("the memory is shut down")]
    ShutDown,
}

impl MemoryError {
    /// Whether the same call may succeed later without anyone doing anything.
    ///
    /// False where the outcome is unknown: whether to repeat is the caller's decision then, and
    /// safe where the caller gave ids.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Count { source } | Self::Uncounted { source, .. } => source.is_retryable(),
            _ => false,
        }
    }

    /// Whether the operation may have happened.
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_outcome_unknown())
    }
}
