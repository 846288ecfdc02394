//! Who is working on which pendings.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use memory_core::{Backlog, Timestamp};

/// The conversations that a sweep leaves alone, and until when.
///
/// Leases are kept in memory only: one process holds the file, so a lease that an earlier process
/// gave is held by nobody.
#[derive(Debug, Default)]
pub(crate) struct Leases(Mutex<Held>);

/// What a lease is of: a conversation's number, and which of its messages.
pub(crate) type Leased = (u64, Backlog);

/// The leases while nobody else can change them.
#[derive(Debug, Default)]
pub(crate) struct Held(HashMap<Leased, Lease>);

#[derive(Debug)]
struct Lease {
    taken: Timestamp,
    due: Timestamp,
}

impl Lease {
    /// A clock that was set back must not make it longer than it was meant: then it is over.
    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.due || now < self.taken
    }
}

impl Leases {
    /// Waits for whoever looks at the leases now.
    pub(crate) fn hold(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Has others leave this conversation alone.
    pub(crate) fn take(&mut self, of: Leased, now: Timestamp, length: Duration) {
        self.0.insert(of, Lease { taken: now, due: now.after(length) });
    }

    /// Whether others leave this conversation alone.
    pub(crate) fn is_taken(&self, of: Leased, now: Timestamp) -> bool {
        self.0.get(&of).is_some_and(|lease| !lease.is_over(now))
    }

    /// Ends one, if there is one.
    pub(crate) fn end(&mut self, of: Leased) {
        self.0.remove(&of);
    }

    /// Forgets those that are over.
    pub(crate) fn forget_old(&mut self, now: Timestamp) {
        self.0.retain(|_, lease| !lease.is_over(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_holds_between_its_times_only() {
        let at = Timestamp::from_millis;
        let check = |now: u64, is_taken: bool| {
            let mut held = Held::default();
            held.take((7, Backlog::Pending), at(1000), Duration::from_millis(500));
            assert_eq!(held.is_taken((7, Backlog::Pending), at(now)), is_taken, "{now}");
            assert!(!held.is_taken((7, Backlog::Fallback), at(now)));
            assert!(!held.is_taken((8, Backlog::Pending), at(now)));
            held.forget_old(at(now));
            assert_eq!(held.0.len(), usize::from(is_taken), "{now}");
            held.end((7, Backlog::Pending));
            assert!(!held.is_taken((7, Backlog::Pending), at(now)));
        };
        check(1000, true);
        check(1499, true);
        check(1500, false);
        check(999, false);
    }
}
