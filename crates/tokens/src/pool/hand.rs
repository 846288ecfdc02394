//! What a worker is counting, where others can take it away.

use std::sync::PoisonError;

use super::deliver::Owed;
use crate::sync::{Mutex, MutexGuard};

/// A worker's hand: the result that it owes, so that this can be given up where the count hangs.
///
/// Whoever takes the result out says in the same step what came of the job. So each job that
/// somebody waits for is in one of the two sums, whoever is quicker.
#[derive(Default)]
pub(super) struct Hand(Mutex<Held>);

#[derive(Default)]
struct Held {
    owed: Option<Owed>,
    ended: Ended,
}

/// What came of the jobs that were in a hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ended {
    /// They were counted, or failed to be.
    pub(super) counted: u64,
    /// They were given up.
    pub(super) given_up: u64,
}

impl Hand {
    pub(super) fn put(&self, owed: Owed) {
        self.lock().owed = Some(owed);
    }

    /// Takes the result out if nobody waits for it any more.
    pub(super) fn take_abandoned(&self) -> Option<Owed> {
        self.lock().owed.take_if(|owed| owed.is_abandoned())
    }

    /// Takes the result out to be settled; none where it was given up meanwhile.
    pub(super) fn take_counted(&self) -> Option<Owed> {
        let mut held = self.lock();
        let owed = held.owed.take();
        held.ended.counted += u64::from(owed.is_some());
        owed
    }

    /// Takes the result out to be given up.
    pub(super) fn give_up(&self) -> Option<Owed> {
        let mut held = self.lock();
        let owed = held.owed.take();
        held.ended.given_up += u64::from(owed.is_some());
        owed
    }

    pub(super) fn ended(&self) -> Ended {
        self.lock().ended
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
