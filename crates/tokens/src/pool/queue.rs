//! The queue between those who submit and those who count.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

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
        let state = State { jobs: VecDeque::new(), phase: Phase::Open, workers, waiting: 0 };
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

    /// Waits for a job. None tells the calling worker to end: it is no longer among the workers.
    pub(super) fn pop(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
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

    /// Takes a job if there is one.
    #[cfg(test)]
    pub(super) fn try_pop(&self) -> Option<T> {
        self.lock().jobs.pop_front()
    }

    /// Lets the workers take what is there and then leave.
    pub(super) fn drain(&self) {
        self.end(Phase::Draining);
    }

    /// Takes all jobs away from the workers, which leave after what they have in hand.
    pub(super) fn close(&self) -> VecDeque<T> {
        self.end(Phase::Closed)
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
        }
        drop(state);
        self.ready.notify_all();
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code that could panic runs under the lock, so the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_come_out_in_order_and_the_end_after_them() {
        let queue = Queue::new(1);
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.push(2), Ok(()));
        queue.drain();
        assert!(!queue.is_open());
        assert_eq!(queue.push(3), Ok(()), "who holds a place may still hand its job over");
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some(1), Some(2), Some(3)]);
        assert_eq!((queue.pop(), queue.workers()), (None, 0));
        assert_eq!(queue.push(4), Err(4), "nobody would take it");
    }

    #[test]
    fn closing_takes_the_jobs_away() {
        let queue = Queue::new(1);
        queue.push(1).unwrap();
        assert_eq!(queue.close(), [1]);
        assert_eq!(queue.push(2), Err(2));
        assert_eq!(queue.pop(), None);
        queue.drain();
        assert_eq!(queue.push(3), Err(3), "what is closed stays closed");
    }

    #[test]
    fn a_waiting_worker_is_woken_by_a_job_and_by_the_end() {
        let queue = Queue::new(2);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| std::iter::from_fn(|| queue.pop()).sum::<u32>()))
                .collect();
            for job in 1..=100 {
                queue.push(job).unwrap();
            }
            queue.drain();
            let sum: u32 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
            assert_eq!(sum, 5050);
        });
        assert_eq!(queue.workers(), 0);
    }
}
