//! What counts the tokens of a text.

use std::error::Error;
use std::fmt;
use std::ops::Add;
use std::sync::Arc;

use async_trait::async_trait;

use crate::ids::CounterId;
use crate::tally::{FinalReason, Tally};

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

    /// Counts the tokens of `text`, and says whether a fallback counted them.
    ///
    /// The tokens are those of [`count`](Self::count). A counter that lets another one step in for
    /// it, or only approximates what it is named for, overrides this; then a tally is
    /// `Final(Fallback)` in place of `Exact`.
    ///
    /// # Errors
    ///
    /// As for [`count`](Self::count).
    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        self.count(text).map(TextCount::from)
    }

    /// Whether the counter itself, and no fallback, is expected to count the next text.
    ///
    /// Who has tallies that a fallback counted asks this before it counts them anew. It computes
    /// and waits for nothing.
    fn is_answering(&self) -> bool {
        true
    }

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

    /// Where a long text may be cut so that its parts are counted apart, at or after the byte
    /// `near`; none where no such place is known.
    ///
    /// A place that is returned lies within the text, neither at its beginning nor at its end, and
    /// between two characters. The counts of what stands before and after it add up to the count
    /// of the whole. It is found in time proportional to its distance from `near`.
    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        let _ = (text, near);
        None
    }

    /// Whether a count keeps a processor busy from its begin to its end, so that more threads than
    /// processors gain nothing. One that waits for something else, such as a service, says no.
    fn is_cpu_bound(&self) -> bool {
        true
    }

    /// How often whole texts were looked up among those that the counter remembers, since it was
    /// made. A counter that remembers none has none.
    fn cache_lookups(&self) -> CacheLookups {
        CacheLookups::default()
    }
}

/// Look-ups of whole texts whose counts a counter remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CacheLookups {
    /// Texts whose counts were remembered.
    pub hits: u64,
    /// Texts that had to be counted.
    pub misses: u64,
}

impl Add for CacheLookups {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            hits: self.hits.saturating_add(other.hits),
            misses: self.misses.saturating_add(other.misses),
        }
    }
}

/// The tokens of a text, and who counted them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextCount {
    /// Tokens of the text alone, without any framing.
    pub tokens: u64,
    /// Whether a fallback counted, so that the number is not that of the counter asked.
    pub by_fallback: bool,
}

impl TextCount {
    /// Tokens that a fallback counted.
    pub const fn by_fallback(tokens: u64) -> Self {
        Self { tokens, by_fallback: true }
    }

    /// The text's tally without any framing: `Exact`, or `Final(Fallback)`.
    pub const fn tally(self) -> Tally {
        if self.by_fallback {
            Tally::final_because(self.tokens, FinalReason::Fallback)
        } else {
            Tally::exact(self.tokens)
        }
    }
}

impl From<u64> for TextCount {
    /// Tokens that the counter itself counted.
    fn from(tokens: u64) -> Self {
        Self { tokens, by_fallback: false }
    }
}

impl From<usize> for TextCount {
    /// Tokens that the counter itself counted.
    fn from(tokens: usize) -> Self {
        Self::from(tokens as u64)
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

            fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
                (**self).count_text(text)
            }

            fn is_answering(&self) -> bool {
                (**self).is_answering()
            }

            fn upper_bound(&self, text: &str) -> Option<usize> {
                (**self).upper_bound(text)
            }

            fn inline_safe(&self) -> bool {
                (**self).inline_safe()
            }

            fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
                (**self).safe_cut(text, near)
            }

            fn is_cpu_bound(&self) -> bool {
                (**self).is_cpu_bound()
            }

            fn cache_lookups(&self) -> CacheLookups {
                (**self).cache_lookups()
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
