//! Which connections were made before a failure was seen.

use std::sync::atomic::{AtomicU64, Ordering};

/// Connections of one generation were made between two failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(u64);

/// The generation of today.
#[derive(Debug, Default)]
pub(crate) struct Generations(AtomicU64);

impl Generations {
    pub(crate) fn current(&self) -> Generation {
        Generation(self.0.load(Ordering::Acquire))
    }

    /// Ends a generation: nothing of it is used from now on. False if it had ended before, as many
    /// connections die of the same cause.
    pub(crate) fn end(&self, failed: Generation) -> bool {
        let Generation(number) = failed;
        self.0.compare_exchange(number, number + 1, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_ends_once() {
        let generations = Generations::default();
        let first = generations.current();
        assert!(generations.end(first) && !generations.end(first));
        let second = generations.current();
        assert!(second > first && generations.end(second));
    }
}
