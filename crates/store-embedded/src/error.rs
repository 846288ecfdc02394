//! What can go wrong here beyond what every store can meet, and how the backend's errors map.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use memory_core::{ConversationKey, LimitError, StoreError};

use crate::bytes::Damage;

/// The causes that only this store has. They stand as the source of a [`StoreError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddedError {
    /// The builder was given neither a path nor the in-memory mode.
    #[error("the store has no place: give it a path, or choose in_memory")]
    NoPlace,
    /// The builder was given a queue that can hold nothing.
    #[error("the queue has no room: give it at least 1 operation")]
    NoQueue,
    /// A directory on the way to the file could not be created.
    #[error("directory {} cannot be created", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file could not be opened or created.
    #[error("store file {} cannot be opened", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The path names something that is no file.
    #[error("store file {} is a directory or a device: name a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A thread of the store could not be started.
    #[error("thread {name} cannot be started")]
    Thread {
        /// The thread's name.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread of the store ended before it answered.
    #[error("a thread of the store ended before it answered")]
    ThreadEnded,
    /// The backend panicked; the panic was caught.
    #[error("the backend panicked, as it does on some damaged files")]
    Panicked,
    /// The system gave no random bytes for the key of the digests.
    #[error("the system gives no random bytes")]
    NoRandomness(#[source] Box<dyn Error + Send + Sync>),
}

/// Why one operation inside a transaction did not succeed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The operation refused before it wrote anything.
    Refused(StoreError),
    /// What the conversation holds contradicts itself.
    Damaged(Damage),
    /// The backend failed, for every operation of the transaction.
    Backend(redb::Error),
}

impl From<Damage> for Fault {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<LimitError> for Fault {
    fn from(error: LimitError) -> Self {
        Self::Refused(error.into())
    }
}

macro_rules! from_backend {
    ($($error:ty),+) => {
        $(impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Backend(error.into())
            }
        })+
    };
}

from_backend!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);

/// The error of one operation that found `fault`; for those without a conversation, `what` names
/// the store.
pub(crate) fn explain(
    fault: Fault,
    operation: &'static str,
    key: Option<&ConversationKey>,
    what: &str,
) -> StoreError {
    match fault {
        Fault::Refused(error) => error,
        Fault::Damaged(Damage(detail)) => match key {
            Some(key) => StoreError::DamagedConversation { key: key.clone(), detail },
            None => StoreError::Damaged { what: what.to_owned(), detail },
        },
        Fault::Backend(error) => backend(&Arc::new(error), operation, what),
    }
}

/// The error of an operation that had no effect because the backend failed.
pub(crate) fn backend(error: &Arc<redb::Error>, operation: &'static str, what: &str) -> StoreError {
    match **error {
        redb::Error::Corrupted(_) => {
            StoreError::Damaged { what: what.to_owned(), detail: "its pages contradict each other" }
        }
        redb::Error::PreviousIo => StoreError::Poisoned,
        redb::Error::DatabaseClosed => StoreError::Closed,
        _ => {
            StoreError::Backend { operation, retryable: false, source: Box::new(Arc::clone(error)) }
        }
    }
}

/// An error of opening that lies outside the database.
pub(crate) fn cannot_open(cause: EmbeddedError) -> StoreError {
    StoreError::Backend { operation: "open", retryable: false, source: Box::new(cause) }
}
