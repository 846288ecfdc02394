//! What pieces were counted as before.

use std::hint::{black_box, select_unpredictable};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::thread;

use super::piece::{Entry, LONG, LONGEST, SHORT, count, hash, is_same, key, with_count};
use super::seams::Seams;
use super::vocabulary::Vocabulary;

/// 1 MiB of short entries: with what else counting needs, about as much as the second cache of a
/// processor core holds.
const SHORT_BITS: u32 = 14;
/// 2 MiB of long entries.
const LONG_BITS: u32 = 15;
/// 512 KiB of the longest entries.
const LONGEST_BITS: u32 = 13;

/// Pieces that are looked up together, so that the memory answers for all of them at once.
const BATCH: usize = 64;

/// Counts of pieces, of a bounded number and size.
#[derive(Debug)]
pub(super) struct Cache {
    short: Box<[Set<2, 4>]>,
    long: Box<[Set<4, 2>]>,
    longest: Box<[Set<8, 1>]>,
    short_waiting: Batch<2>,
    long_waiting: Batch<4>,
    longest_waiting: Batch<8>,
}

/// The places where a piece may stand: as many bytes as the memory gives at once. What came last
/// stands first, and takes the place of what has been there for longest.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Set<const WORDS: usize, const ENTRIES: usize>([Entry<WORDS>; ENTRIES]);

/// The counting of one text.
pub(super) struct TextCount<'a> {
    text: &'a [u8],
    cache: &'a mut Cache,
    vocabulary: &'a Vocabulary,
    seams: &'a Seams,
    tokens: usize,
}

/// Pieces that are yet to be looked up.
#[derive(Debug)]
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
            short: vec![Set([[0; 2]; 4]); 1 << SHORT_BITS].into_boxed_slice(),
            long: vec![Set([[0; 4]; 2]); 1 << LONG_BITS].into_boxed_slice(),
            longest: vec![Set([[0; 8]; 1]); 1 << LONGEST_BITS].into_boxed_slice(),
            short_waiting: Batch::new(),
            long_waiting: Batch::new(),
            longest_waiting: Batch::new(),
        }
    }

    /// Begins to count the pieces of a text.
    pub(super) fn count<'a>(
        &'a mut self,
        text: &'a [u8],
        vocabulary: &'a Vocabulary,
        seams: &'a Seams,
    ) -> TextCount<'a> {
        // A count that panicked may have left some.
        (self.short_waiting.length, self.long_waiting.length) = (0, 0);
        self.longest_waiting.length = 0;
        TextCount { text, cache: self, vocabulary, seams, tokens: 0 }
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
        self.look_up_longest();
        self.tokens
    }

    #[inline]
    fn add_short(&mut self, start: usize, end: usize) {
        let key = key::<2, 16>(self.text, start, end - start);
        let hash = hash(&key);
        if self.cache.short_waiting.push(Waiting { key, hash, start, end }) {
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
            self.add_longest(start, end);
            return;
        }
        let key = key::<4, 32>(self.text, start, end - start);
        let hash = hash(&key);
        if self.cache.long_waiting.push(Waiting { key, hash, start, end }) {
            self.look_up_long();
        }
    }

    /// A piece that is longer than long.
    #[inline(never)]
    fn add_longest(&mut self, start: usize, end: usize) {
        if end - start > LONGEST {
            self.tokens += self.vocabulary.count(self.text, start, end);
            return;
        }
        let key = key::<8, 64>(self.text, start, end - start);
        let hash = hash(&key);
        if self.cache.longest_waiting.push(Waiting { key, hash, start, end }) {
            self.look_up_longest();
        }
    }

    #[inline]
    fn look_up_short(&mut self) {
        let (pieces, sets) = (self.cache.short_waiting.take(), &mut *self.cache.short);
        self.tokens += look_up(pieces, sets, place::<SHORT_BITS>, self.text, self.vocabulary);
    }

    #[inline]
    fn look_up_long(&mut self) {
        let (pieces, sets) = (self.cache.long_waiting.take(), &mut *self.cache.long);
        self.tokens += look_up(pieces, sets, place::<LONG_BITS>, self.text, self.vocabulary);
    }

    #[inline]
    fn look_up_longest(&mut self) {
        let (pieces, sets) = (self.cache.longest_waiting.take(), &mut *self.cache.longest);
        self.tokens += look_up(pieces, sets, place::<LONGEST_BITS>, self.text, self.vocabulary);
    }
}

/// The sum of the counts of pieces.
#[inline]
fn look_up<const WORDS: usize, const ENTRIES: usize>(
    pieces: &[Waiting<WORDS>],
    sets: &mut [Set<WORDS, ENTRIES>],
    place: impl Fn(u64) -> usize,
    text: &[u8],
    vocabulary: &Vocabulary,
) -> usize {
    let (mut tokens, mut unknown, mut length) = (0, [0; BATCH], 0);
    // One loop that does nothing else, so that the memory is asked for all of them at once.
    for piece in pieces {
        black_box(sets[place(piece.hash)].0[0][0]);
    }
    // Nobody foresees which pieces are known, so nothing branches on it here.
    for (number, piece) in pieces.iter().enumerate() {
        let found = sets[place(piece.hash)].find(&piece.key);
        tokens += found;
        unknown[length % BATCH] = number;
        length += usize::from(found == 0);
    }
    let unknown = &unknown[..length];
    for number in unknown {
        vocabulary.ask_for_slots(pieces[*number].hash);
    }
    for number in unknown {
        vocabulary.ask_for_token(pieces[*number].hash);
    }
    for number in unknown {
        let piece = &pieces[*number];
        tokens += sets[place(piece.hash)]
            .find_or_add(&piece.key, || vocabulary.count(text, piece.start, piece.end));
    }
    tokens
}

impl<const WORDS: usize, const ENTRIES: usize> Set<WORDS, ENTRIES> {
    /// The count of a piece; zero where it is unknown.
    #[inline]
    fn find(&self, key: &Entry<WORDS>) -> usize {
        let counts =
            self.0.iter().map(|entry| select_unpredictable(is_same(entry, key), count(entry), 0));
        counts.fold(0, |found, count| found | count)
    }

    #[inline(never)]
    fn find_or_add(&mut self, key: &Entry<WORDS>, merge: impl FnOnce() -> usize) -> usize {
        let found = self.find(key);
        if found > 0 {
            return found;
        }
        let count = merge();
        self.0.copy_within(..ENTRIES - 1, 1);
        self.0[0] = with_count(*key, count);
        count
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

/// The set of an entry with this hash, of so many bits' number.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "so many bits are left")]
fn place<const BITS: u32>(hash: u64) -> usize {
    (hash >> (64 - BITS)) as usize
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
