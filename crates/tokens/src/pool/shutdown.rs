//! The end of a pool.

use std::sync::PoisonError;
use std::time::Duration;

use super::aftermath::Aftermath;
use super::handle::AsyncTokenCounter;
use super::idle::until;
use super::shared::Shared;
use crate::sync::thread::{self, JoinHandle};
use crate::sync::{Mutex, MutexGuard, timeout};

/// What a shutdown did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Jobs that were counted, or failed to be, since the shutdown began.
    pub counted: u64,
    /// Jobs that were given up since then; each was delivered
    /// [`CountError::ShutDown`](memory_core::CountError::ShutDown). A job that came to the pool
    /// after its end got the same answer, and is not in this sum; a job that nobody waited for any
    /// more is in neither.
    pub left: u64,
    /// Worker threads that had not ended by the deadline, those included that hung and were
    /// replaced. They are detached, and end after the count that they have in hand, should it ever
    /// return.
    pub detached: usize,
}

impl AsyncTokenCounter {
    /// Ends the pool: refuses new jobs at once, counts what is queued until the deadline, gives up
    /// what is left then, and joins the threads.
    ///
    /// It may be called again, and by several callers at the same time: the earliest deadline
    /// holds, and later calls report the same end. A place that was reserved before may still be
    /// used while workers are there.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the pool draining without a deadline; call it again for one.
    pub async fn shutdown(&self, deadline: Duration) -> ShutdownReport {
        let shared = self.shared();
        let ended = shared.queue.ended();
        // Whoever was first has said it.
        let _ = shared.ended_before.set(ended);
        shared.queue.drain();
        shared.places.freed.notify_waiters();
        let workers_left = until(&shared.left, || shared.queue.workers() == 0);
        if timeout(deadline, workers_left).await.is_err() {
            shared.give_up();
        }
        self.pool().threads.join(shared.queue.workers() == 0);
        shared.report()
    }
}

impl Shared {
    /// Delivers everything that has no answer yet, what workers have in hand included.
    fn give_up(&self) {
        let mut aftermath = Aftermath::default();
        self.queue.give_up(&mut aftermath);
        self.over(aftermath);
    }

    /// Gives up what nobody has begun with, and lets the workers leave after what they have in
    /// hand.
    pub(super) fn close(&self) {
        let mut aftermath = Aftermath::default();
        self.queue.close(&mut aftermath);
        self.over(aftermath);
    }

    fn over(&self, aftermath: Aftermath) {
        self.rest.end();
        self.see_to(aftermath);
        self.places.freed.notify_waiters();
    }

    fn report(&self) -> ShutdownReport {
        let before = self.ended_before.get().copied().unwrap_or_default();
        let now = self.queue.ended();
        ShutdownReport {
            counted: now.counted.saturating_sub(before.counted),
            left: now.given_up.saturating_sub(before.given_up),
            detached: self.queue.workers() + self.queue.strays(),
        }
    }
}

/// The threads of a pool, until they are joined.
#[derive(Debug, Default)]
pub(super) struct Threads(Mutex<Vec<(usize, JoinHandle<()>)>>);

/// What the watcher goes by among the workers.
pub(super) const WATCHER: usize = usize::MAX;

impl Threads {
    pub(super) fn keep(&self, index: usize, thread: JoinHandle<()>) {
        self.lock().push((index, thread));
    }

    /// Lets go of a thread that may never end.
    pub(super) fn detach(&self, index: usize) {
        self.lock().retain(|(kept, _)| *kept != index);
    }

    /// Joins the threads that end, and lets go of the others; `all_end` says that all do.
    fn join(&self, all_end: bool) {
        let threads = std::mem::take(&mut *self.lock());
        for (_, thread) in threads {
            // A callback may have led here on a worker's own thread.
            let is_this = thread.thread().id() == thread::current().id();
            if (all_end || thread.is_finished()) && !is_this {
                // Nothing to tell of an error: a worker catches every panic that is not its own.
                drop(thread.join());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(usize, JoinHandle<()>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
