//! The queue between those who submit and those who count.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::sync::{AtomicBool, Condvar, Mutex, MutexGuard};

/// A queue with an end: it is open, then draining, then closed.
///
/// It has no bound of its own: whoever pushes holds one of a bounded number of places. It also
/// keeps the number of workers, because "the queue is drained" and "nobody is left to take a job"
/// must be decided together.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// Signalled when there is a job, or an end.
    ready: Condvar,
    /// Mirrors `state.phase == Phase::Open`, to be read without the lock.
    open: AtomicBool,
}

#[derive(Debug)]
struct State<T> {
    jobs: VecDeque<T>,
    phase: Phase,
    workers: usize,
    /// How many workers wait for `ready`: waking nobody would still cost a system call.
    waiting: usize,
    /// How many jobs were taken away from the workers.
    given_up: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Workers take what is there, and leave when nothing is.
    Draining,
    /// Nothing is there, and nothing is taken in.
    Closed,
}

impl<T> Queue<T> {
    pub(super) fn new(workers: usize) -> Self {
        let (jobs, phase) = (VecDeque::new(), Phase::Open);
        let state = State { jobs, phase, workers, waiting: 0, given_up: 0 };
        Self { state: Mutex::new(state), ready: Condvar::new(), open: AtomicBool::new(true) }
    }

    /// Whether new places may be handed out.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Adds a job; gives it back where no worker will take it.
    pub(super) fn push(&self, job: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.phase == Phase::Closed || state.workers == 0 {
            return Err(job);
        }
        state.jobs.push_back(job);
        let wake = state.waiting > 0;
        drop(state);
        if wake {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for a job and takes it up. None tells the calling worker to end: it is no longer
    /// among the workers.
    ///
    /// `take_up` runs under the queue's lock: whoever closes the queue finds every job either in
    /// it, or where `take_up` has put it.
    pub(super) fn pop<R>(&self, take_up: impl FnOnce(T) -> R) -> Option<R> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(take_up(job));
            }
            if state.phase != Phase::Open {
                state.workers -= 1;
                return None;
            }
            state.waiting += 1;
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    /// Takes a job up if there is one.
    #[cfg(test)]
    pub(super) fn try_pop<R>(&self, take_up: impl FnOnce(T) -> R) -> Option<R> {
        self.lock().jobs.pop_front().map(take_up)
    }

    /// Lets the workers take what is there and then leave.
    pub(super) fn drain(&self) {
        self.end(Phase::Draining);
    }

    /// Takes all jobs away from the workers, which leave after what they have in hand.
    pub(super) fn close(&self) -> VecDeque<T> {
        self.end(Phase::Closed)
    }

    /// How many jobs were taken away from the workers.
    pub(super) fn given_up(&self) -> u64 {
        self.lock().given_up
    }

    /// How many workers have not left.
    pub(super) fn workers(&self) -> usize {
        self.lock().workers
    }

    /// Takes back the workers that were announced and never started.
    pub(super) fn forget_workers(&self, count: usize) {
        let mut state = self.lock();
        state.workers = state.workers.saturating_sub(count);
    }

    fn end(&self, phase: Phase) -> VecDeque<T> {
        self.open.store(false, Ordering::Release);
        let mut state = self.lock();
        let mut taken = VecDeque::new();
        if state.phase != Phase::Closed {
            state.phase = phase;
        }
        if phase == Phase::Closed || state.workers == 0 {
            taken = std::mem::take(&mut state.jobs);
            state.given_up += taken.len() as u64;
        }
        drop(state);
        self.ready.notify_all();
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // What runs under the lock moves jobs and cannot panic, so the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
