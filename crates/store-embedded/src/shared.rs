//! What the store's threads and handles have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use memory_core::{Clock, Limits};

use crate::counters::Counters;
use crate::digests::Digests;
use crate::leases::Leases;

/// One open store, without the database.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The file's path, or what stands for it in errors.
    pub(crate) what: String,
    pub(crate) durable: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) counters: Counters,
    pub(crate) digests: Digests,
    pub(crate) leases: Leases,
    pub(crate) poisoned: AtomicBool,
}

impl Shared {
    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    /// Refuses everything from now on.
    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
    }
}
