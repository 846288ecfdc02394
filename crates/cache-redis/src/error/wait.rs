//! A wait that reached its deadline.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::ConnectError;
use crate::pool::{PoolStatus, WaitingFor};

/// A wait for a connection that took as long as `redis.pool.timeout` allows.
#[derive(Debug)]
#[non_exhaustive]
pub struct WaitTimedOut {
    /// What the last part of the wait was for.
    pub waiting_for: WaitingFor,
    /// The whole wait.
    pub waited: Duration,
    /// The pool when the wait ended.
    pub status: PoolStatus,
    /// The last attempt to connect, where it failed and none has succeeded since.
    pub last_failure: Option<Arc<ConnectError>>,
}

impl fmt::Display for WaitTimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { waiting_for, waited, status, last_failure } = self;
        write!(formatter, "waited {waited:.1?} for {waiting_for} ({status})")?;
        match last_failure {
            Some(failure) => write!(formatter, "; {failure}"),
            None => write!(formatter, "; {}", waiting_for.advice()),
        }
    }
}

impl Error for WaitTimedOut {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.last_failure.as_ref().and_then(|failure| failure.source())
    }
}
