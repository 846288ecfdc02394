//! What a memory says of its own work.

use std::sync::atomic::Ordering;

use super::Memory;

impl Memory {
    /// How many tallies this memory's background work and its sweeps have replaced by counts since
    /// it began, in every namespace.
    ///
    /// A replacement that the store has made and not yet answered for is not among them.
    pub fn settled_so_far(&self) -> u64 {
        self.0.shared.settled.load(Ordering::Relaxed)
    }
}
