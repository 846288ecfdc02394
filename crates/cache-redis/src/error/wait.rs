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
        let advice = waiting_for.advice();
        write!(formatter, "waited {waited:.1?} for {waiting_for} ({status}); {advice}")?;
        // To others it is old news: they waited for what there is.
        if let (WaitingFor::Connection, Some(failure)) = (waiting_for, last_failure) {
            write!(formatter, "; {failure}")?;
        }
        Ok(())
    }
}

impl Error for WaitTimedOut {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let cause =
            self.last_failure.as_ref().filter(|_| self.waiting_for == WaitingFor::Connection);
        cause.and_then(|failure| failure.source())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectReason;

    #[test]
    fn the_last_failure_is_told_to_those_who_waited_for_a_connection() {
        let check = |waiting_for, failure: bool| {
            let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            let refused = ConnectError::new("cache:6379", ConnectReason::Refused).caused_by(source);
            let error = WaitTimedOut {
                waiting_for,
                waited: Duration::from_secs(3),
                status: PoolStatus::default(),
                last_failure: Some(Arc::new(refused)),
            };
            let text = error.to_string();
            assert!(text.contains("redis.pool.timeout"), "{text}");
            assert_eq!(text.contains("cannot connect to cache:6379"), failure, "{text}");
            assert_eq!(error.source().is_some(), failure, "{text}");
        };
        check(WaitingFor::Connection, true);
        check(WaitingFor::Turn, false);
        check(WaitingFor::Lane, false);
        check(WaitingFor::Key, false);
    }
}
