//! What counts the tokens of a text.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::ids::CounterId;

/// Counts the tokens of a text on the processor, for one encoding.
///
/// # Contract
///
/// - **Deterministic**: the same text has the same count, on every thread, as long as the id is
///   the same.
/// - **Ordinary text**: what looks like a special token (`<|endoftext|>`) is counted as the
///   characters that it is.
/// - **Bounds**: `count(text) <= upper_bound(text)` where an upper bound is given.
/// - **Synchronous**: a call computes; it waits for no network, file or lock that another call
///   holds for long. What asks a service is a [`RemoteCounter`].
/// - **Any text**: no input makes it panic or recurse without end. Callers survive a panic all
///   the same, and count it as a failure.
pub trait TokenCounter: fmt::Debug + Send + Sync + 'static {
    /// The counter's name, such as `o200k_base`, without a framing rule.
    fn id(&self) -> &CounterId;

    /// Counts the tokens of `text`. The empty text has none.
    ///
    /// # Errors
    ///
    /// [`CountError`] where the text cannot be counted; the caller may try again later.
    fn count(&self, text: &str) -> Result<usize, CountError>;

    /// The most tokens that `text` can have, in constant time; none where that is unknown.
    ///
    /// Byte-level BPE has at most one token for each byte.
    fn upper_bound(&self, text: &str) -> Option<usize> {
        let _ = text;
        None
    }

    /// Whether a short text may be counted on the thread of the caller: the counter is local,
    /// bound by the processor, and takes time in proportion to the text.
    fn inline_safe(&self) -> bool {
        false
    }
}

/// Counts the tokens of a text by asking a service.
///
/// # Contract
///
/// As for [`TokenCounter`], but that a call may wait for the network. Its concurrency is bounded
/// by whoever runs it.
#[async_trait]
pub trait RemoteCounter: fmt::Debug + Send + Sync + 'static {
    /// The counter's name, without a framing rule.
    fn id(&self) -> &CounterId;

    /// Counts the tokens of `text`.
    ///
    /// # Errors
    ///
    /// [`CountError`] where the service refuses, fails or does not answer in time.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives the count up; it has no other effect.
    async fn count(&self, text: &str) -> Result<usize, CountError>;

    /// The most tokens that `text` can have; none where that is unknown.
    fn upper_bound(&self, text: &str) -> Option<usize> {
        let _ = text;
        None
    }
}

/// Why a text was not counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CountError {
    /// The counter itself failed.
    #[error("counter {counter} failed")]
    Failed {
        /// The counter.
        counter: CounterId,
        /// What it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The counter panicked; the panic was caught.
    #[error("counter {counter} panicked")]
    Panicked {
        /// The counter.
        counter: CounterId,
    },
    /// The count was not ready by its deadline.
    #[error("the count was not ready within {milliseconds} ms")]
    DeadlineExceeded {
        /// How long the caller was willing to wait, in milliseconds.
        milliseconds: u64,
    },
    /// The counting queue has no place left.
    #[error("the counting queue is full at {capacity} jobs; count later, or raise queue.capacity")]
    QueueFull {
        /// How many jobs the queue holds.
        capacity: usize,
    },
    /// The counting pool has been shut down.
    #[error("the counting pool is shut down")]
    ShutDown,
}

impl CountError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        !matches!(self, Self::ShutDown)
    }
}

macro_rules! forward {
    ($pointer:ident) => {
        #[deny(clippy::missing_trait_methods)]
        impl<T: TokenCounter + ?Sized> TokenCounter for $pointer<T> {
            fn id(&self) -> &CounterId {
                (**self).id()
            }

            fn count(&self, text: &str) -> Result<usize, CountError> {
                (**self).count(text)
            }

            fn upper_bound(&self, text: &str) -> Option<usize> {
                (**self).upper_bound(text)
            }

            fn inline_safe(&self) -> bool {
                (**self).inline_safe()
            }
        }

        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: RemoteCounter + ?Sized> RemoteCounter for $pointer<T> {
            fn id(&self) -> &CounterId {
                (**self).id()
            }

            async fn count(&self, text: &str) -> Result<usize, CountError> {
                (**self).count(text).await
            }

            fn upper_bound(&self, text: &str) -> Option<usize> {
                (**self).upper_bound(text)
            }
        }
    };
}

forward!(Arc);
forward!(Box);
