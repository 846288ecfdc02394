//! What pieces were counted as before.

use std::sync::{Mutex, PoisonError, TryLockError};
use std::thread;

use super::piece::{Entry, LONG, SHORT, count, is_same, key, place, with_count};

/// 4 MiB of short entries.
const SHORT_BITS: u32 = 18;
/// 2 MiB of long entries.
const LONG_BITS: u32 = 16;

/// Counts of pieces, of a bounded number and size.
///
/// Each piece has two places where it may stand, one next to the other; what was found or counted
/// last stands in the first.
#[derive(Debug)]
pub(super) struct Cache {
    short: Vec<Entry<2>>,
    long: Vec<Entry<4>>,
}

impl Cache {
    fn new() -> Self {
        Self { short: vec![[0; 2]; 1 << SHORT_BITS], long: vec![[0; 4]; 1 << LONG_BITS] }
    }

    /// The count of the piece from `start` to `end`, by `merge` where it is not known.
    #[inline]
    pub(super) fn count(
        &mut self,
        text: &[u8],
        start: usize,
        end: usize,
        merge: impl FnOnce(&[u8]) -> usize,
    ) -> usize {
        let piece = start..end;
        if piece.len() <= SHORT {
            let key = key::<2, 16>(text, start, piece.len());
            find(&mut self.short, key, || merge(&text[piece]))
        } else if piece.len() <= LONG {
            let key = key::<4, 32>(text, start, piece.len());
            find(&mut self.long, key, || merge(&text[piece]))
        } else {
            merge(&text[piece])
        }
    }
}

/// The count of an entry, from one of its two places or by `merge`.
#[inline]
fn find<const WORDS: usize>(
    entries: &mut [Entry<WORDS>],
    key: Entry<WORDS>,
    merge: impl FnOnce() -> usize,
) -> usize {
    let first = place(&key, entries.len());
    let found = &entries[first];
    if is_same(found, &key) {
        return count(found);
    }
    find_second(entries, key, first, merge)
}

#[cold]
#[inline(never)]
fn find_second<const WORDS: usize>(
    entries: &mut [Entry<WORDS>],
    key: Entry<WORDS>,
    first: usize,
    merge: impl FnOnce() -> usize,
) -> usize {
    let second = first ^ 1;
    let known = if is_same(&entries[second], &key) { count(&entries[second]) } else { merge() };
    entries[second] = entries[first];
    entries[first] = with_count(key, known);
    known
}

/// Caches for all threads that count: as many as can run at the same time.
///
/// A thread takes one that nobody uses. So memory stays bounded however many threads count once in
/// a while, and what one has learned another finds.
#[derive(Debug)]
pub(super) struct Caches(Box<[Mutex<Option<Cache>>]>);

/// On more processors than this some threads may find none, and count without.
const MOST_CACHES: usize = 64;

impl Caches {
    pub(super) fn new() -> Self {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        Self((0..processors.min(MOST_CACHES)).map(|_| Mutex::new(None)).collect())
    }

    /// Lends a cache; none where all are in use.
    pub(super) fn with<T>(&self, work: impl FnOnce(Option<&mut Cache>) -> T) -> T {
        for cache in &self.0 {
            let lent = match cache.try_lock() {
                Ok(lent) => Some(lent),
                // Entries are written whole, so a panic leaves none that is wrong.
                Err(TryLockError::Poisoned(poisoned)) => Some(PoisonError::into_inner(poisoned)),
                Err(TryLockError::WouldBlock) => None,
            };
            if let Some(mut lent) = lent {
                return work(Some(lent.get_or_insert_with(Cache::new)));
            }
        }
        work(None)
    }
}
