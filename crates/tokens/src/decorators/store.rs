//! Texts and their counts, within a bound of bytes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use memory_core::TextCount;

/// What an entry takes beside its text: itself, its places in map and queue, and what the
/// allocator adds.
pub(super) const OVERHEAD: usize = 128;

/// A text, its count, and whether anyone has asked for it lately.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) text: Box<str>,
    pub(super) counted: TextCount,
    used: AtomicBool,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.text.len() + OVERHEAD
    }
}

/// The entries by the hashes of their texts, and in the order in which they may have to go.
///
/// One that was used since it last came to the front goes to the back once more: what comes again
/// and again stays, at the price of one bit, so that looking an entry up changes nothing else.
#[derive(Debug, Default)]
pub(super) struct Store {
    entries: HashMap<u64, Arc<Entry>>,
    order: VecDeque<u64>,
    bytes: usize,
}

impl Store {
    /// The entry with this hash. Its text may be another one.
    pub(super) fn get(&self, hash: u64) -> Option<&Arc<Entry>> {
        let entry = self.entries.get(&hash)?;
        if !entry.used.load(Ordering::Relaxed) {
            entry.used.store(true, Ordering::Relaxed);
        }
        Some(entry)
    }

    /// Keeps a text that fits; what has to make room for it goes.
    pub(super) fn insert(&mut self, hash: u64, text: &str, counted: TextCount, capacity: usize) {
        let entry = Entry { text: text.into(), counted, used: AtomicBool::new(false) };
        if entry.bytes() > capacity {
            return;
        }
        self.bytes += entry.bytes();
        match self.entries.insert(hash, Arc::new(entry)) {
            // The place in the order is that of the hash, which stays.
            Some(replaced) => self.bytes -= replaced.bytes(),
            None => self.order.push_back(hash),
        }
        while self.bytes > capacity {
            let Some(hash) = self.order.pop_front() else { break };
            let Some(entry) = self.entries.get(&hash) else { continue };
            if entry.used.swap(false, Ordering::Relaxed) {
                self.order.push_back(hash);
            } else {
                self.bytes -= entry.bytes();
                self.entries.remove(&hash);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(tokens: u64) -> TextCount {
        TextCount::from(tokens)
    }

    /// Room for so many texts of one byte.
    fn room(texts: usize) -> usize {
        texts * (1 + OVERHEAD)
    }

    #[test]
    fn what_was_used_outlives_what_was_not() {
        let mut store = Store::default();
        for (hash, text) in [(1, "a"), (2, "b"), (3, "c")] {
            store.insert(hash, text, tokens(hash), room(3));
        }
        assert!(store.get(1).is_some());
        store.insert(4, "d", tokens(4), room(3));
        let held = [1, 2, 3, 4].map(|hash| store.entries.contains_key(&hash));
        assert_eq!(held, [true, false, true, true]);
        assert_eq!((store.len(), store.bytes()), (3, room(3)));
    }

    #[test]
    fn texts_that_are_all_used_still_make_room() {
        let mut store = Store::default();
        for hash in 0..100 {
            store.insert(hash, "a", tokens(hash), room(3));
            store.get(hash);
            assert!(store.bytes() <= room(3) && store.order.len() == store.len());
        }
        assert_eq!(store.len(), 3);
    }

    #[test]
    fn a_text_that_is_too_long_is_not_kept_and_drives_nothing_out() {
        let mut store = Store::default();
        store.insert(1, "a", tokens(1), room(1));
        store.insert(2, "bb", tokens(2), room(1));
        assert_eq!((store.len(), store.bytes()), (1, room(1)));
        assert!(store.get(2).is_none());
    }

    #[test]
    fn another_text_with_the_same_hash_takes_the_place() {
        let mut store = Store::default();
        store.insert(1, "a", tokens(1), room(9));
        store.insert(1, "bcd", tokens(3), room(9));
        let entry = store.get(1).unwrap();
        assert_eq!((&*entry.text, entry.counted), ("bcd", tokens(3)));
        assert_eq!((store.len(), store.bytes()), (1, 3 + OVERHEAD));
    }
}
