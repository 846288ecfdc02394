//! One operation on its way through the writer.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use memory_core::{ConversationKey, StoreError};
use tokio::sync::oneshot;

use crate::error::{EmbeddedError, Fault, backend, explain};
use crate::write::Batch;

/// Where an operation's answer goes.
pub(crate) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// An operation that waits for its transaction.
pub(crate) trait Job: Send {
    /// About how many bytes it adds to a transaction.
    fn bytes(&self) -> usize;

    /// Whether nobody waits for it any more.
    fn is_abandoned(&self) -> bool;

    /// Does it in the open transaction. Only a failure of the whole transaction is returned.
    fn apply(&mut self, batch: &mut Batch<'_>) -> Result<(), redb::Error>;

    /// Answers, after the commit.
    fn acknowledge(self: Box<Self>);

    /// Answers that the transaction failed.
    fn fail(self: Box<Self>, failure: &Failure, what: &str);
}

/// Answers each, also where one of those who wait panics when it is woken: that is its own affair,
/// and its hook has said so.
pub(crate) fn answer_each(
    jobs: impl IntoIterator<Item = Box<dyn Job>>,
    answer: impl Fn(Box<dyn Job>),
) {
    for job in jobs {
        let _ = catch_unwind(AssertUnwindSafe(|| answer(job)));
    }
}

/// Why a transaction failed.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// Before the commit began: nothing was written.
    Before(Arc<redb::Error>),
    /// In the commit: whether it happened is not known.
    Commit(Arc<dyn Error + Send + Sync>),
    /// Something panicked before the commit began.
    Panicked,
    /// An earlier transaction failed.
    Poisoned,
}

/// A job that runs a function.
pub(crate) struct Task<T, F> {
    operation: &'static str,
    key: Option<ConversationKey>,
    bytes: usize,
    run: Option<F>,
    result: Option<Result<T, StoreError>>,
    answer: Answer<T>,
}

impl<T, F> Task<T, F>
where
    F: FnOnce(&mut Batch<'_>) -> Result<T, Fault> + Send,
{
    pub(crate) const fn new(
        operation: &'static str,
        key: Option<ConversationKey>,
        bytes: usize,
        run: F,
        answer: Answer<T>,
    ) -> Self {
        Self { operation, key, bytes, run: Some(run), result: None, answer }
    }
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&mut Batch<'_>) -> Result<T, Fault> + Send,
{
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    fn apply(&mut self, batch: &mut Batch<'_>) -> Result<(), redb::Error> {
        let Some(run) = self.run.take() else { return Ok(()) };
        let changes = batch.changes;
        match run(batch) {
            Ok(value) => self.result = Some(Ok(value)),
            Err(Fault::Backend(error)) => return Err(error),
            // It refused after it had changed something: what it left behind must not be committed.
            Err(_) if batch.changes != changes => {
                let text = "an operation failed half done".to_owned();
                return Err(redb::Error::Corrupted(text));
            }
            Err(fault) => {
                let key = self.key.as_ref();
                let what = batch.shared.what.as_str();
                self.result = Some(Err(explain(fault, self.operation, key, what)));
            }
        }
        Ok(())
    }

    fn acknowledge(self: Box<Self>) {
        if let Some(result) = self.result {
            // Nobody waits any more where this fails.
            let _ = self.answer.send(result);
        }
    }

    fn fail(self: Box<Self>, failure: &Failure, what: &str) {
        let operation = self.operation;
        let error = match failure {
            Failure::Before(error) => backend(error, operation, what),
            Failure::Panicked => StoreError::Backend {
                operation,
                retryable: false,
                source: Box::new(EmbeddedError::Panicked),
            },
            // What was refused was not part of the commit.
            Failure::Commit(_) if matches!(self.result, Some(Err(_)) | None) => {
                StoreError::Poisoned
            }
            Failure::Commit(error) => {
                StoreError::OutcomeUnknown { operation, source: Box::new(Arc::clone(error)) }
            }
            Failure::Poisoned => StoreError::Poisoned,
        };
        let _ = self.answer.send(Err(error));
    }
}
