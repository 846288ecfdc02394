//! How far writers in this process have come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::chaos::error::Outcome;
use crate::chaos::record::Record;

/// Longer than this nobody waits for writers.
const BOUND: Duration = Duration::from_secs(10);

/// How much writers have said, and whether they are to stop.
#[derive(Debug, Default)]
pub(super) struct Progress {
    said: watch::Sender<u64>,
    pub(super) stop: AtomicBool,
}

impl Progress {
    /// Notes that something was said.
    pub(super) fn step(&self) {
        self.said.send_modify(|said| *said = said.saturating_add(1));
    }

    /// Returns when so much was said, or when the writers seem to be at their end.
    pub(super) async fn reached(&self, number: u64) {
        let mut said = self.said.subscribe();
        let reached = said.wait_for(|said| *said >= number);
        // Writers that wait for a dead server say nothing.
        let _ = tokio::time::timeout(BOUND, reached).await;
    }

    pub(super) fn now(&self) -> u64 {
        *self.said.borrow()
    }

    /// Notes that nothing more will be said.
    pub(super) fn finish(&self) {
        self.said.send_replace(u64::MAX);
    }

    pub(super) fn is_finished(&self) -> bool {
        self.now() == u64::MAX
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Does something beside writers, who are told to stop when it is through or has failed.
    pub(super) async fn beside<T>(&self, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
        let done = work.await;
        self.stop();
        done
    }
}

/// What takes records, with a lock around it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes what writers say.
pub(super) fn noting<'a, T>(
    progress: &'a Progress,
    mutex: &'a Mutex<T>,
    take: impl Fn(&mut T, Record) -> Outcome<()> + Sync + 'a,
) -> impl Fn(Record) -> Outcome<()> + Sync + 'a
where
    T: Send,
{
    move |record| {
        let taken = take(&mut lock(mutex), record);
        progress.step();
        taken
    }
}
