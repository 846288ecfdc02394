//! The thread that looks for counts that do not end.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::aftermath::Aftermath;
use super::guard::guarded;
use super::shared::Shared;
use super::shutdown::Threads;
use super::worker::Worker;
use crate::sync::thread;
use crate::sync::{Condvar, Mutex};

/// How often it looks within the time that a count may take: so a count that hangs is found when
/// that time and a quarter of it are over.
const LOOKS: u32 = 4;

/// The least time between two looks.
const SHORTEST_REST: Duration = Duration::from_millis(1);

/// Lets the watcher rest, and wakes it at the end of the pool.
#[derive(Debug, Default)]
pub(super) struct Rest {
    is_over: Mutex<bool>,
    ended: Condvar,
}

impl Rest {
    pub(super) fn end(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ended.notify_all();
    }

    /// Whether there is something to watch after the rest.
    fn rest(&self, time: Duration) -> bool {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_over {
            return false;
        }
        let rested = self.ended.wait_timeout(is_over, time);
        !*rested.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Finds counts that do not end, answers for them, and replaces their workers.
pub(super) struct Watcher {
    shared: Arc<Shared>,
    threads: Arc<Threads>,
    /// Workers that are missing because the system refused a thread.
    missing: Vec<usize>,
}

impl Watcher {
    /// The name of its thread.
    pub(super) const NAME: &'static str = "turnledger-count-watch";

    pub(super) fn new(shared: Arc<Shared>, threads: Arc<Threads>) -> Self {
        Self { shared, threads, missing: Vec::new() }
    }

    /// Watches until the pool has come to its end.
    pub(super) fn run(mut self) {
        let time = (self.shared.hung_after / LOOKS).max(SHORTEST_REST);
        while self.shared.rest.rest(time) {
            self.look(Instant::now());
        }
    }

    /// Looks once, as of a given time.
    pub(super) fn look(&mut self, now: Instant) {
        let mut aftermath = Aftermath::default();
        let overdue = self.shared.queue.overdue(now, self.shared.hung_after, &mut aftermath);
        for (hung, new) in &overdue.replacements {
            self.threads.detach(*hung);
            self.missing.push(*new);
        }
        // The others go on before anyone hears of it.
        let (shared, threads) = (&self.shared, &self.threads);
        self.missing.retain(|worker| !start(shared, threads, *worker));
        for hung in overdue.hung {
            let _ = guarded(|| self.shared.report_hung(hung));
        }
        for _ in overdue.replacements {
            let _ = guarded(|| self.shared.metrics.replaced());
        }
        self.shared.see_to(aftermath);
    }
}

/// Whether a thread was started for a worker.
fn start(shared: &Arc<Shared>, threads: &Threads, index: usize) -> bool {
    let worker = Worker::new(Arc::clone(shared), index);
    let started = thread::Builder::new().name(Worker::name(index)).spawn(move || worker.run());
    match started {
        Ok(thread) => threads.keep(index, thread),
        Err(_) => return false,
    }
    true
}
