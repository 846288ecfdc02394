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

    /// Sets it where nobody else changes it at the same moment.
    pub(crate) fn set(&self, number: usize) {
        self.0.store(number, Ordering::Relaxed);
    }

    /// Something that is counted at times, and not yet.
    pub(crate) fn at_times(&self) -> AtTimes {
        AtTimes { count: self.clone(), is_counted: false }
    }
}

/// Something that is counted at times.
#[derive(Debug)]
pub(crate) struct AtTimes {
    count: Count,
    is_counted: bool,
}

impl AtTimes {
    /// Counts it from now on, or no more.
    pub(crate) fn set(&mut self, is_counted: bool) {
        match (std::mem::replace(&mut self.is_counted, is_counted), is_counted) {
            (false, true) => self.count.0.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.count.0.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
    }
}

impl Drop for AtTimes {
    fn drop(&mut self) {
        self.set(false);
    }
}

/// How many of some things there are, and the most of them at a time.
///
/// One count tells both, so that each number that it comes to is seen by somebody. The orderings
/// let no rise slip between the end of one time and the beginning of the next.
#[derive(Debug, Default)]
pub(crate) struct Level {
    now: AtomicUsize,
    peak: AtomicUsize,
}

impl Level {
    pub(crate) fn rise(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        // Mostly it is no more than it was, and then nobody has to agree on that.
        if now > self.peak.load(Ordering::SeqCst) {
            self.peak.fetch_max(now, Ordering::SeqCst);
        }
    }

    pub(crate) fn fall(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn get(&self) -> usize {
        self.now.load(Ordering::SeqCst)
    }

    /// The most since it was taken.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    /// The same, and begins anew with what is now.
    pub(crate) fn take_peak(&self) -> usize {
        let peak = self.peak.swap(0, Ordering::SeqCst);
        self.peak.fetch_max(self.get(), Ordering::SeqCst);
        peak
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_level_is_kept_until_it_is_taken() {
        let level = Level::default();
        for _ in 0..3 {
            level.rise();
        }
        level.fall();
        level.rise();
        level.fall();
        assert_eq!((level.get(), level.peak()), (2, 3));
        assert_eq!((level.take_peak(), level.take_peak()), (3, 2));
        level.fall();
        assert_eq!((level.get(), level.take_peak(), level.peak()), (1, 2, 1));
    }

    #[test]
    fn those_who_rise_together_see_the_highest_level() {
        let level = Level::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| level.rise());
            }
        });
        assert_eq!((level.get(), level.peak()), (4, 4));
    }
}
