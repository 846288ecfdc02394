//! No operation takes longer than it may.

use std::future::Future;
use std::time::Duration;

use memory_core::StoreError;
use tokio::time::{Instant, timeout_at};

/// When an operation must have ended, and what to say if it has not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    end: Instant,
    allowed: Duration,
}

/// The longest time that any setting may have.
pub(crate) const LONGEST: Duration = Duration::from_hours(365 * 24);

/// An operation that was given up because its time had passed.
#[derive(Debug, thiserror::Error)]
#[error("there was no answer within {milliseconds} ms")]
struct NoAnswer {
    milliseconds: u64,
}

impl Deadline {
    pub(crate) fn after(allowed: Duration) -> Self {
        let now = Instant::now();
        // What lies beyond the clock is for ever, and so is a year.
        Self { end: now.checked_add(allowed).unwrap_or(now + LONGEST), allowed }
    }

    /// What is left of the time.
    pub(crate) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.allowed.as_millis()).unwrap_or(u64::MAX)
    }

    /// Runs what has no effect when it is given up.
    pub(crate) async fn read<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late =
            || Err(StoreError::DeadlineExceeded { operation, milliseconds: self.milliseconds() });
        timeout_at(self.end, work).await.unwrap_or_else(|_| late())
    }

    /// Runs what may still happen when it is given up.
    pub(crate) async fn write<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let late = || {
            let source = Box::new(NoAnswer { milliseconds: self.milliseconds() });
            Err(StoreError::OutcomeUnknown { operation, source })
        };
        timeout_at(self.end, work).await.unwrap_or_else(|_| late())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn what_is_given_up_says_whether_it_may_have_happened() {
        let deadline = Deadline::after(Duration::from_millis(50));
        let read = deadline.read("page", pending::<Result<(), StoreError>>()).await;
        assert!(matches!(
            read,
            Err(StoreError::DeadlineExceeded { operation: "page", milliseconds: 50 })
        ));
        let write = deadline.write("append", pending::<Result<(), StoreError>>()).await;
        assert!(write.unwrap_err().is_outcome_unknown());
        assert_eq!(deadline.left(), Duration::ZERO);
    }
}
