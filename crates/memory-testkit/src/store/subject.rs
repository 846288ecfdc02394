//! What a suite needs to know of the store that it checks.

use std::fmt;
use std::sync::Arc;

use memory_core::{Clock, Limits, ManualClock, MemoryStore, SystemClock, Timestamp};

/// A store to check, with what cannot be read from its capabilities.
///
/// The store may hold other conversations: each behaviour uses a namespace and a counter of its
/// own. Nothing is cleaned up afterwards.
#[derive(Clone)]
#[must_use]
pub struct Subject {
    pub(crate) store: Arc<dyn MemoryStore>,
    pub(crate) clock: Option<Arc<ManualClock>>,
    pub(crate) limits: Limits,
}

impl Subject {
    /// A store with the default limits that tells the time by itself.
    pub fn new(store: Arc<dyn MemoryStore>) -> Self {
        Self { store, clock: None, limits: Limits::default() }
    }

    /// Says which clock the store tells the time by, so that leases and expiry can be checked.
    pub fn clock(self, clock: Arc<ManualClock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Says which limits the store was opened with, where those are not the defaults.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The present moment, as the store sees it.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.as_ref().map_or_else(|| SystemClock.now(), |clock| clock.now())
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("store", &self.store).finish_non_exhaustive()
    }
}

impl<T: MemoryStore> From<Arc<T>> for Subject {
    fn from(store: Arc<T>) -> Self {
        Self::new(store)
    }
}

impl From<Arc<dyn MemoryStore>> for Subject {
    fn from(store: Arc<dyn MemoryStore>) -> Self {
        Self::new(store)
    }
}
