//! The errors of a pool.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{ConnectError, WaitTimedOut};

/// What a pool, a lane or an exclusive connection can fail with.
///
/// No text of a command or a password is in any of its messages, and of a reply only the first word
/// of a refusal. That is a code, unless a script of the caller's own makes it something else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// There was no connection, or no place on a lane, within `redis.pool.timeout`. Nothing was
    /// sent.
    #[error(transparent)]
    WaitTimedOut(Box<WaitTimedOut>),

    /// A connection cannot be made, and trying again would not help.
    #[error(transparent)]
    Connect(Arc<ConnectError>),

    /// The pool was closed.
    #[error("the pool is closed")]
    Closed,

    /// The pool was closed, but connections were still in use at the deadline.
    #[error("{active} connections were still in use {} after closing began", Span(*waited))]
    NotDrained {
        /// Exclusive connections handed out, and lanes with a command in flight.
        active: usize,
        /// How long closing waited.
        waited: Duration,
    },

    /// The server did not answer in time.
    #[error(
        "{operation} was not answered within {}, see redis.pool.response_timeout{}",
        Span(*waited),
        Outcome(*outcome_unknown)
    )]
    ResponseTimedOut {
        /// The command.
        operation: &'static str,
        /// How long it was waited for.
        waited: Duration,
        /// Whether it may have changed something on the server.
        outcome_unknown: bool,
    },

    /// The connection ended before the answer came.
    #[error("the connection ended before {operation} was answered{}", Outcome(*outcome_unknown))]
    ConnectionLost {
        /// The command.
        operation: &'static str,
        /// Whether it may have changed something on the server.
        outcome_unknown: bool,
        /// What ended it, where that is known.
        source: Box<dyn Error + Send + Sync>,
    },

    /// The server refused a command.
    #[error("the server refused {operation}: {code}")]
    Server {
        /// The command.
        operation: &'static str,
        /// The first word of the server's answer, such as `NOSCRIPT`.
        code: String,
        /// The rest of it. It may repeat arguments, so it is in no message.
        detail: ServerDetail,
    },

    /// The server refused to begin a transaction. It took the commands after that one by one, so
    /// some of them may have been executed.
    #[error("the server refused MULTI: {code}{}", Outcome(true))]
    NotAtomic {
        /// The first word of the server's answer, such as `NOPERM`.
        code: String,
        /// The rest of it. It may repeat arguments, so it is in no message.
        detail: ServerDetail,
    },

    /// A command, or one within a pipeline, has not even a name, and servers answer nothing to that.
    #[error("a command has no words, which no server answers: name it, or leave it out")]
    EmptyCommand,

    /// The command changes or holds up its connection, so it must have one of its own.
    #[error("{operation} needs an exclusive connection: take one with `get` instead of a lane")]
    NeedsExclusive {
        /// The command.
        operation: &'static str,
    },

    /// A cluster has no connections for one caller alone.
    #[error(
        "a cluster has no exclusive connections: send commands over `lane` or `any_lane`, or over \
         those of `servers` to reach each node"
    )]
    NoExclusive,

    /// The pool has fewer sockets than its lanes need.
    #[error(
        "redis.pool.size is {size}, too small for {lanes} lane to the {nodes} nodes of the cluster: \
         a lane has a socket to each node that owns slots, so set redis.pool.size to {} or more",
        lanes * nodes
    )]
    ClusterSize {
        /// The most sockets that may be open.
        size: usize,
        /// The lanes that are needed at least.
        lanes: usize,
        /// The nodes that own slots.
        nodes: usize,
    },

    /// The command concerns the nodes of a cluster one by one. Nothing was sent.
    #[error(
        "{operation} concerns each node of a cluster by itself: send it over each of the lanes that \
         `RedisPool::servers` gives"
    )]
    NeedsServer {
        /// The command.
        operation: &'static str,
    },

    /// A setting was changed to what no pool can keep to.
    #[error("{key} must be {expected}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// Its range, and what it was.
        expected: String,
    },

    /// The pool needs a tokio runtime for its tasks.
    #[error("no tokio runtime is running here; build the pool inside one")]
    NoRuntime,

    /// A file of the TLS settings cannot be used.
    #[error("{key}: cannot use {path}")]
    TlsFile {
        /// The setting.
        key: &'static str,
        /// The file.
        path: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },

    /// TLS cannot be set up.
    #[error("TLS cannot be set up, see redis.tls.ca_file")]
    Tls {
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
}

impl PoolError {
    /// Whether the same call may succeed later without a change of settings or of the command.
    ///
    /// Where the [outcome is unknown](Self::is_outcome_unknown) too, a repeat may do a thing twice.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::WaitTimedOut(_) | Self::ResponseTimedOut { .. } | Self::ConnectionLost { .. } => {
                true
            }
            Self::Server { code, .. } => matches!(
                code.as_str(),
                "LOADING"
                    | "READONLY"
                    | "MASTERDOWN"
                    | "CLUSTERDOWN"
                    | "TRYAGAIN"
                    | "MOVED"
                    | "ASK"
                    | "BUSY"
            ),
            _ => false,
        }
    }

    /// Whether the server may or may not have done what was asked.
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::ResponseTimedOut { outcome_unknown, .. }
            | Self::ConnectionLost { outcome_unknown, .. } => *outcome_unknown,
            Self::NotAtomic { .. } => true,
            _ => false,
        }
    }

    /// The code of the server's answer, such as `NOSCRIPT`, where the server answered.
    pub fn server_code(&self) -> Option<&str> {
        match self {
            Self::Server { code, .. } | Self::NotAtomic { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// What a server said about a refusal after its code. It may repeat arguments of the command, and
/// so it prints as `***`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ServerDetail(pub(crate) String);

impl ServerDetail {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ServerDetail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.1?}", self.0)
    }
}

struct Outcome(bool);

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 {
            formatter.write_str("; whether the server executed it is not known")?;
        }
        Ok(())
    }
}
