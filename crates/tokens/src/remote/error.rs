//! What can go wrong between here and a provider.

use std::error::Error;
use std::io;
use std::time::Duration;

/// Why a provider has not counted. Nothing here shows the key, the text or the answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The base URL cannot be used.
    #[error("the base URL cannot be used: {reason}")]
    BaseUrl {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The name of the model cannot be used.
    #[error(
        "the model's name cannot be used; it has 1 to 128 letters, digits, dots, colons, hyphens, \
         underscores and at signs"
    )]
    Model,
    /// The key cannot be used.
    #[error("the API key is empty, or has characters that no header can hold")]
    Key,
    /// A bound is zero or too large.
    #[error("{what} is out of bounds; choose {bounds}")]
    Bounds {
        /// Which one.
        what: &'static str,
        /// What it may be.
        bounds: &'static str,
    },
    /// There is nothing to trust servers by.
    #[error("the system's certificates cannot be used")]
    Certificates {
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A thread or its runtime could not be started.
    #[error("the thread that asks the provider could not be started")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
    /// There was no connection, or it was lost.
    #[error("the provider cannot be reached")]
    Connection {
        /// What the network said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// No answer came in time.
    #[error("the provider did not answer within {} ms", .limit.as_millis())]
    TimedOut {
        /// How long one attempt may take.
        limit: Duration,
    },
    /// The provider wants fewer requests.
    #[error("the provider refuses more requests for now (status 429)")]
    RateLimited {
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// The provider itself failed.
    #[error("the provider failed (status {status})")]
    Server {
        /// The status of its answer.
        status: u16,
        /// How long it wants to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// The provider does not accept the request, as it would not another time.
    #[error("the provider refuses the request (status {status}); check the key and the model")]
    Refused {
        /// The status of its answer.
        status: u16,
    },
    /// The answer is no count.
    #[error("the provider's answer is no count: {reason}")]
    Answer {
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl RemoteError {
    /// Whether the same request may succeed later.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Connection { .. }
                | Self::TimedOut { .. }
                | Self::RateLimited { .. }
                | Self::Server { .. }
        )
    }

    /// How long the provider wants to be left alone, where it says so.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
