//! What is handed over to the pool, and the place it takes.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use memory_core::{CountError, Framing, Message, Tally};
use tokio::sync::oneshot;

use super::deliver::{Counted, Deliver, Owed, Permit};

/// Something to count, and where its result goes.
#[must_use = "a job does nothing until it is submitted"]
pub struct Job {
    work: Work,
    deliver: Deliver,
    conversation: Option<u64>,
}

/// What is counted. A clone shares the texts.
#[derive(Clone)]
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

    /// All texts that are to be counted.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let (message, text) = match self {
            Self::Message(message) => (Some(message), None),
            Self::Text(text) => (None, Some(&**text)),
        };
        message.into_iter().flat_map(Message::texts).chain(text)
    }

    /// A hash of the lengths of the texts and of samples of them. Texts that are the same have the
    /// same.
    pub(super) fn fingerprint(&self, keys: &RandomState) -> u64 {
        let mut hasher = keys.build_hasher();
        for text in self.texts() {
            let (bytes, length) = (text.as_bytes(), text.len());
            hasher.write_usize(length);
            if length <= 3 * SAMPLE {
                hasher.write(bytes);
            } else {
                let middle = length / 2;
                hasher.write(&bytes[..SAMPLE]);
                hasher.write(&bytes[middle..middle + SAMPLE]);
                hasher.write(&bytes[length - SAMPLE..]);
            }
        }
        hasher.finish()
    }

    /// Whether the tally of both is the same, because their texts and what is around them are.
    pub(super) fn is_same(&self, other: &Self, framing: &Framing) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::Message(one), Self::Message(other)) => {
                one.texts().eq(other.texts())
                    && one.has_media() == other.has_media()
                    && framing.fixed_tokens(one) == framing.fixed_tokens(other)
            }
            _ => false,
        }
    }
}

/// The length of a sample, in bytes.
const SAMPLE: usize = 64;

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

    /// Counts a message under the pool's framing, and sends the result to a channel, with `tag` to
    /// know it by.
    ///
    /// The channel is bounded by the queue's capacity, because every [`Counted`] in it holds a
    /// place: let go of it when the result has been used. Where the receiver is gone, so is the
    /// result.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::{Arc, mpsc};
    /// use memory_core::Message;
    /// use tokens::{AsyncTokenCounter, BpeCounter, Job};
    ///
    /// let pool = AsyncTokenCounter::builder(Arc::new(BpeCounter::o200k_base())).workers(1).build()?;
    /// let (sender, results) = mpsc::channel();
    /// for (number, text) in ["Hello!", "Hello, world!"].into_iter().enumerate() {
    ///     pool.submit(Job::message_to(Message::user(text), number, sender.clone()))?;
    /// }
    /// drop(sender);
    /// let mut tokens = [0, 0];
    /// for (number, counted) in results {
    ///     tokens[number] = counted.result?.tokens;
    /// }
    /// assert_eq!(tokens, [3 + 1 + 2, 3 + 1 + 4]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn message_to<T: Send + 'static>(
        message: Message,
        tag: T,
        results: Sender<(T, Counted)>,
    ) -> Self {
        Self::message(message, send_to(tag, results))
    }

    /// Counts a text by itself, and sends the result to a channel as for
    /// [`message_to`](Self::message_to).
    pub fn text_to<T: Send + 'static>(
        text: impl Into<Arc<str>>,
        tag: T,
        results: Sender<(T, Counted)>,
    ) -> Self {
        Self::text(text, send_to(tag, results))
    }

    /// Says which conversation the job belongs to, by a keyed hash of its name.
    ///
    /// Conversations take turns, and what is counted of one in a turn is delivered together. Jobs
    /// that name none take turns as if they were of one conversation.
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

fn send_to<T: Send + 'static>(
    tag: T,
    results: Sender<(T, Counted)>,
) -> impl FnOnce(Counted) + Send + 'static {
    move |counted| {
        // Nobody is there to use a result that cannot be sent.
        drop(results.send((tag, counted)));
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
            shared.metrics.moved(1, 0);
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
