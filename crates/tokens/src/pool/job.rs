//! What is handed over to the pool, and the place it takes.

use std::fmt;
use std::sync::Arc;

use memory_core::{CountError, Message, Tally};
use tokio::sync::oneshot;

use super::deliver::{Counted, Deliver, Owed, Permit};

/// Something to count, and where its result goes.
#[must_use = "a job does nothing until it is submitted"]
pub struct Job {
    work: Work,
    deliver: Deliver,
    conversation: Option<u64>,
}

/// What is counted.
pub(super) enum Work {
    Message(Message),
    Text(Arc<str>),
}

impl Work {
    /// The bytes of text that are to be counted.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Message(message) => message.text_bytes(),
            Self::Text(text) => text.len(),
        }
    }
}

/// Work in the queue, or in a worker's hand.
pub(super) struct Queued {
    pub(super) work: Work,
    pub(super) owed: Owed,
}

impl Job {
    /// Counts a message under the pool's framing.
    ///
    /// `deliver` is called once, on the worker's thread, and must not block. Where the pool ends
    /// before the job is counted, it is called with [`CountError::ShutDown`] on the thread that
    /// ends the pool.
    pub fn message(message: Message, deliver: impl FnOnce(Counted) + Send + 'static) -> Self {
        Self::new(Work::Message(message), Deliver::Callback(Box::new(deliver)))
    }

    /// Counts a text by itself, without any framing.
    ///
    /// `deliver` is called as for [`message`](Self::message).
    pub fn text(text: impl Into<Arc<str>>, deliver: impl FnOnce(Counted) + Send + 'static) -> Self {
        Self::new(Work::Text(text.into()), Deliver::Callback(Box::new(deliver)))
    }

    /// Says which conversation the job belongs to, by a keyed hash of its name.
    ///
    /// The hash stands in logs in the place of the name, which never does. Key it with something
    /// that is secret and lasts for the process, so that nobody can guess names from logs.
    pub fn conversation(mut self, keyed_hash: u64) -> Self {
        self.conversation = Some(keyed_hash);
        self
    }

    /// A job whose result is awaited.
    pub(super) fn awaited(work: Work) -> (Self, oneshot::Receiver<Result<Tally, CountError>>) {
        let (sender, receiver) = oneshot::channel();
        (Self::new(work, Deliver::Channel(sender)), receiver)
    }

    fn new(work: Work, deliver: Deliver) -> Self {
        Self { work, deliver, conversation: None }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("bytes", &self.work.bytes()).finish_non_exhaustive()
    }
}

/// A place in the queue that is kept for a job to come.
///
/// It lets a caller find out that the queue is full before it does anything else. Dropping it frees
/// the place.
#[must_use = "a place that is dropped is free again"]
pub struct Place {
    permit: Permit,
}

impl Place {
    pub(super) fn new(permit: Permit) -> Self {
        Self { permit }
    }

    /// Hands a job over. It never fails and never waits.
    ///
    /// Where the pool has come to its end since the place was reserved, the job is delivered at
    /// once, on this thread, with [`CountError::ShutDown`].
    pub fn submit(self, job: Job) {
        let shared = Arc::clone(self.permit.shared());
        let owed = Owed::new(job.deliver, self.permit, job.conversation);
        shared.metrics.submitted();
        if let Err(refused) = shared.queue.push(Queued { work: job.work, owed }) {
            shared.metrics.left_queue();
            // Dropping the job gives it up, which delivers that.
            drop(refused);
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

/// A job that was not taken, and why.
#[derive(Debug, thiserror::Error)]
#[error("the job was not taken: {reason}")]
pub struct Refused {
    /// The job, untouched.
    pub job: Job,
    /// [`CountError::QueueFull`] or [`CountError::ShutDown`].
    pub reason: CountError,
}
