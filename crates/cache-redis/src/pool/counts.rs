//! Counts that are right whatever is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of things that exist.
#[derive(Debug, Default, Clone)]
pub(crate) struct Count(Arc<AtomicUsize>);

impl Count {
    /// Counts one more for as long as the mark lives.
    pub(crate) fn mark(&self) -> Mark {
        self.0.fetch_add(1, Ordering::Relaxed);
        Mark(Self(Arc::clone(&self.0)))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One of the things counted.
#[derive(Debug)]
pub(crate) struct Mark(Count);

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
