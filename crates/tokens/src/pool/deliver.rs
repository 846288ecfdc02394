//! Getting a result to whoever asked for it, exactly once.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{CountError, Tally};
use tokio::sync::oneshot;

use super::guard::guarded;
use super::shared::Shared;

/// The outcome of a job, together with the place that the job has in the queue.
///
/// The place is free again when this is dropped. Whoever keeps results in a buffer keeps these, and
/// the buffer is bounded by the queue's capacity.
#[must_use]
pub struct Counted {
    /// The tally, or why there is none.
    pub result: Result<Tally, CountError>,
    _place: Permit,
}

impl fmt::Debug for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counted").field("result", &self.result).finish_non_exhaustive()
    }
}

/// One of the queue's places, taken.
pub(super) struct Permit {
    shared: Arc<Shared>,
}

impl Permit {
    /// Takes a place; none where all are taken.
    pub(super) fn take(shared: &Arc<Shared>) -> Option<Self> {
        shared.places.take().then(|| Self { shared: Arc::clone(shared) })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.places.give_back();
    }
}

/// Where a result goes.
pub(super) enum Deliver {
    Callback(Box<dyn FnOnce(Counted) + Send>),
    /// Someone awaits it, or did.
    Channel(oneshot::Sender<Result<Tally, CountError>>),
}

/// A result that is owed: delivered when it is settled, and given up when it is dropped.
///
/// While it lives, the pool is not idle.
pub(super) struct Owed {
    deliver: Option<Deliver>,
    /// There until it is delivered.
    permit: Option<Permit>,
    conversation: Option<u64>,
    since: Instant,
    begun: Option<Instant>,
}

impl Owed {
    pub(super) fn new(deliver: Deliver, permit: Permit, conversation: Option<u64>) -> Self {
        permit.shared.unfinished.add();
        Self {
            deliver: Some(deliver),
            permit: Some(permit),
            conversation,
            since: Instant::now(),
            begun: None,
        }
    }

    /// A worker begins to count it.
    pub(super) fn begin(&mut self, now: Instant) {
        self.begun = Some(now);
    }

    /// How long it waited for a worker.
    pub(super) fn waited(&self) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| begun.saturating_duration_since(self.since))
    }

    /// A keyed hash of the conversation.
    pub(super) fn conversation(&self) -> Option<u64> {
        self.conversation
    }

    /// Whether nobody waits for the result any more.
    pub(super) fn is_abandoned(&self) -> bool {
        matches!(&self.deliver, Some(Deliver::Channel(waiting)) if waiting.is_closed())
    }

    /// Forgets a result that nobody waits for.
    pub(super) fn abandon(mut self) {
        self.deliver = None;
    }

    /// Delivers the result.
    pub(super) fn settle(mut self, result: Result<Tally, CountError>) {
        self.deliver(result);
    }

    fn deliver(&mut self, result: Result<Tally, CountError>) {
        let Some(permit) = self.permit.take() else { return };
        // Whoever submits pays for one count of references only. It is finished at the end, also
        // where whoever waits panics when it is woken.
        let Unfinished(shared) = &Unfinished(Arc::clone(&permit.shared));
        match self.deliver.take() {
            Some(Deliver::Callback(callback)) => {
                let counted = Counted { result, _place: permit };
                if guarded(|| callback(counted)).is_err() {
                    shared.log_callback_panicked(self.conversation);
                }
            }
            Some(Deliver::Channel(waiting)) => {
                // The place first: who gets the answer may hand the next job over at once.
                drop(permit);
                // Whoever no longer waits needs no answer.
                drop(waiting.send(result));
            }
            None => drop(permit),
        }
    }
}

/// A job that has no answer yet.
struct Unfinished(Arc<Shared>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.0.unfinished.sub();
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let (Some(permit), Some(_)) = (&self.permit, &self.deliver) {
            permit.shared.metrics.given_up();
        }
        self.deliver(Err(CountError::ShutDown));
    }
}
