//! What pieces were counted as before.

use std::sync::{Mutex, PoisonError, TryLockError};
use std::thread;

use super::piece::{Entry, LONG, SHORT, count, hash, is_same, key, with_count};
use super::seams::Seams;
use super::vocabulary::Vocabulary;

/// 2 MiB of short entries: about as much as the second cache of a processor core holds.
const SHORT_BITS: u32 = 17;
/// 2 MiB of long entries.
const LONG_BITS: u32 = 16;

/// Pieces that are looked up together, so that the memory answers for all of them at once.
const BATCH: usize = 16;

/// Counts of pieces, of a bounded number and size.
///
/// Each piece has two places where it may stand, one next to the other; what was found or counted
/// last stands in the first.
#[derive(Debug)]
pub(super) struct Cache {
    short: Box<[Entry<2>]>,
    long: Box<[Entry<4>]>,
}

/// The counting of one text.
pub(super) struct TextCount<'a> {
    text: &'a [u8],
    cache: &'a mut Cache,
    vocabulary: &'a Vocabulary,
    seams: &'a Seams,
    short: Batch<2>,
    long: Batch<4>,
    tokens: usize,
}

/// Pieces that are yet to be looked up.
struct Batch<const WORDS: usize> {
    pieces: [Waiting<WORDS>; BATCH],
    length: usize,
}

/// A piece that is yet to be looked up.
#[derive(Debug, Clone, Copy)]
struct Waiting<const WORDS: usize> {
    key: Entry<WORDS>,
    hash: u64,
    start: usize,
    end: usize,
}

impl Cache {
    fn new() -> Self {
        Self {
            short: vec![[0; 2]; 1 << SHORT_BITS].into_boxed_slice(),
            long: vec![[0; 4]; 1 << LONG_BITS].into_boxed_slice(),
        }
    }

    /// Begins to count the pieces of a text.
    pub(super) fn count<'a>(
        &'a mut self,
        text: &'a [u8],
        vocabulary: &'a Vocabulary,
        seams: &'a Seams,
    ) -> TextCount<'a> {
        let (short, long) = (Batch::new(), Batch::new());
        TextCount { text, cache: self, vocabulary, seams, short, long, tokens: 0 }
    }
}

impl TextCount<'_> {
    /// Adds the piece from `start` to `end`.
    #[inline]
    pub(super) fn add(&mut self, start: usize, end: usize) {
        if end - start <= SHORT {
            self.add_short(start, end);
        } else {
            self.add_long(start, end);
        }
    }

    /// The sum of the pieces' counts.
    pub(super) fn total(mut self) -> usize {
        self.look_up_short();
        self.look_up_long();
        self.tokens
    }

    #[inline]
    fn add_short(&mut self, start: usize, end: usize) {
        let key = key::<2, 16>(self.text, start, end - start);
        if self.short.push(Waiting { key, hash: hash(&key), start, end }) {
            self.look_up_short();
        }
    }

    #[inline(never)]
    fn add_long(&mut self, start: usize, end: usize) {
        let seams = self.seams;
        if Seams::may_cut(&self.text[start..end]) {
            seams.split(self.text, start, end, |start, end| {
                if end - start <= SHORT {
                    self.add_short(start, end);
                } else {
                    self.add_whole(start, end);
                }
            });
        } else {
            self.add_whole(start, end);
        }
    }

    /// A piece that is longer than short.
    fn add_whole(&mut self, start: usize, end: usize) {
        if end - start > LONG {
            self.tokens += self.vocabulary.count(self.text, start, end);
            return;
        }
        let key = key::<4, 32>(self.text, start, end - start);
        if self.long.push(Waiting { key, hash: hash(&key), start, end }) {
            self.look_up_long();
        }
    }

    #[inline]
    fn look_up_short(&mut self) {
        for Waiting { key, hash, start, end } in self.short.take() {
            let merge = || self.vocabulary.count_short(key, *hash, self.text, *start, *end);
            self.tokens += find(&mut self.cache.short, place::<SHORT_BITS>(*hash), key, merge);
        }
    }

    #[inline]
    fn look_up_long(&mut self) {
        for Waiting { key, hash, start, end } in self.long.take() {
            let merge = || self.vocabulary.count(self.text, *start, *end);
            self.tokens += find(&mut self.cache.long, place::<LONG_BITS>(*hash), key, merge);
        }
    }
}

impl<const WORDS: usize> Batch<WORDS> {
    fn new() -> Self {
        let piece = Waiting { key: [0; WORDS], hash: 0, start: 0, end: 0 };
        Self { pieces: [piece; BATCH], length: 0 }
    }

    /// Adds a piece, and says whether the batch is full then.
    #[inline]
    fn push(&mut self, piece: Waiting<WORDS>) -> bool {
        // The remainder says that it is a place of the batch, which a full one never stays.
        self.pieces[self.length % BATCH] = piece;
        self.length += 1;
        self.length == BATCH
    }

    /// What has been added; the batch is empty then.
    #[inline]
    fn take(&mut self) -> &[Waiting<WORDS>] {
        &self.pieces[..std::mem::take(&mut self.length)]
    }
}

/// The count of an entry, from one of its two places or by `merge`.
#[inline]
fn find<const WORDS: usize>(
    entries: &mut [Entry<WORDS>],
    first: usize,
    key: &Entry<WORDS>,
    merge: impl FnOnce() -> usize,
) -> usize {
    let found = &entries[first];
    if is_same(found, key) {
        return count(found);
    }
    find_second(entries, key, first, merge)
}

/// The first place of an entry with this hash, in a table of that many bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "so many bits are left")]
fn place<const BITS: u32>(hash: u64) -> usize {
    (hash >> (64 - BITS)) as usize
}

#[cold]
#[inline(never)]
fn find_second<const WORDS: usize>(
    entries: &mut [Entry<WORDS>],
    key: &Entry<WORDS>,
    first: usize,
    merge: impl FnOnce() -> usize,
) -> usize {
    let second = first ^ 1;
    let known = if is_same(&entries[second], key) { count(&entries[second]) } else { merge() };
    entries[second] = entries[first];
    entries[first] = with_count(*key, known);
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
