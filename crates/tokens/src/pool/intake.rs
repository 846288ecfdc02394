//! Where jobs are handed over: a push under a lock that nobody holds for long.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::sync::{Condvar, Mutex, MutexGuard};

/// The jobs that no worker has seen yet. Those who submit touch nothing else.
///
/// It has no bound of its own: whoever pushes holds one of a bounded number of places.
#[derive(Debug)]
pub(super) struct Intake<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    jobs: VecDeque<T>,
    /// How often workers were called for what is not in `jobs`.
    calls: u64,
    /// How many workers wait: waking nobody would still cost a system call.
    waiting: usize,
    is_closed: bool,
}

impl<T> Intake<T> {
    /// An intake that does not grow before it has so many jobs.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let jobs = VecDeque::with_capacity(capacity);
        let state = State { jobs, calls: 0, waiting: 0, is_closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Adds a job; gives it back where no worker will take it.
    pub(super) fn push(&self, job: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(job);
        }
        state.jobs.push_back(job);
        let wake = state.waiting > 0;
        drop(state);
        if wake {
            self.changed.notify_one();
        }
        Ok(())
    }

    /// Moves all jobs to `to`, which is empty, and returns what to [`wait`](Self::wait) with.
    ///
    /// Whoever takes several jobs takes up one of them; the others are called for the rest.
    pub(super) fn take_all(&self, to: &mut VecDeque<T>) -> u64 {
        let mut state = self.lock();
        std::mem::swap(&mut state.jobs, to);
        if to.len() > 1 {
            state.calls += 1;
        }
        let (calls, wake) = (state.calls, to.len() > 1 && state.waiting > 0);
        drop(state);
        if wake {
            self.changed.notify_all();
        }
        calls
    }

    /// Has every worker look again.
    pub(super) fn call(&self) {
        self.lock().calls += 1;
        self.changed.notify_all();
    }

    /// Waits once, unless there are jobs, or workers were called since `calls`.
    pub(super) fn wait(&self, calls: u64) {
        let mut state = self.lock();
        if state.jobs.is_empty() && state.calls == calls {
            state.waiting += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    /// Takes in nothing any more; hands out what is there.
    pub(super) fn close(&self) -> VecDeque<T> {
        let mut state = self.lock();
        state.is_closed = true;
        std::mem::take(&mut state.jobs)
    }

    /// Closes it if nothing is there; says whether it did.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut state = self.lock();
        state.is_closed |= state.jobs.is_empty();
        state.is_closed
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // What runs under the lock moves jobs and cannot panic, so the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
