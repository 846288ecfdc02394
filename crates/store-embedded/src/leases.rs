//! Who is working on which pendings.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use memory_core::Timestamp;

/// The conversations, by number, that a sweep leaves alone, and until when.
///
/// Leases are kept in memory only: one process holds the file, so a lease that an earlier process
/// gave is held by nobody.
#[derive(Debug, Default)]
pub(crate) struct Leases(Mutex<HashMap<u64, Timestamp>>);

/// The leases while nobody else can change them.
pub(crate) type Held<'a> = MutexGuard<'a, HashMap<u64, Timestamp>>;

impl Leases {
    /// Waits for whoever looks at the leases now.
    pub(crate) fn hold(&self) -> Held<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a sweep leaves this conversation alone.
pub(crate) fn is_leased(leases: &Held<'_>, number: u64, now: Timestamp) -> bool {
    leases.get(&number).is_some_and(|due| *due > now)
}
