//! The parts of a piece, and how they are merged.

use super::vocabulary::{NO_RANK, Vocabulary};

/// The parts of a piece of at most `PLACES` bytes.
///
/// A part is known by its place: the number that the first of what it is made of had at the begin.
pub(super) struct Parts<const PLACES: usize> {
    /// The rank of what each part makes with the one behind it, or a lower one, and the place of
    /// the part.
    joins: [u64; PLACES],
    /// The lowest join of each block, where there are [many](Self::IN_BLOCKS).
    minima: [u64; BLOCKS],
    /// How far behind the start of the piece each part begins.
    begins: [u16; PLACES],
    /// The place of the part behind each.
    nexts: [u16; PLACES],
    /// The place of the part before each.
    befores: [u16; PLACES],
    /// How many parts there were at the begin.
    places: usize,
    /// How many there are.
    count: usize,
    /// Where the piece starts and ends.
    start: usize,
    end: usize,
}

const PLACE_BITS: u32 = 8;
/// Two parts that make no token.
const NOT_JOINED: u64 = u64::MAX;
/// Joins that are compared side by side.
const LANES: usize = 4;
/// Blocks that the joins are in where there are many.
const BLOCKS: usize = 16;
/// Joins in a block.
const BLOCK: usize = 16;

impl<const PLACES: usize> Parts<PLACES> {
    /// Whether the lowest join is looked for in two steps. Where there are few, one is quicker.
    const IN_BLOCKS: bool = PLACES > BLOCK * LANES;

    /// What the piece from `start` to `end` is merged to, which is no token as a whole.
    #[inline]
    pub(super) fn merged(vocabulary: &Vocabulary, text: &[u8], start: usize, end: usize) -> Self {
        let mut parts = Self::new(start, end);
        if text[start..end].is_ascii() {
            parts.begin_with_ascii(vocabulary, text);
        } else {
            parts.begin_with_characters(vocabulary, text);
        }
        parts.count = parts.places;
        parts.merge(vocabulary, text);
        parts
    }

    /// A piece that is one token.
    pub(super) fn whole(start: usize, end: usize) -> Self {
        Self { places: 1, count: 1, ..Self::new(start, end) }
    }

    #[inline]
    fn new(start: usize, end: usize) -> Self {
        const { assert!(PLACES <= 1 << PLACE_BITS && PLACES.is_multiple_of(LANES)) }
        Self {
            joins: [NOT_JOINED; PLACES],
            minima: [NOT_JOINED; BLOCKS],
            begins: [0; PLACES],
            nexts: std::array::from_fn(|place| small(place + 1)),
            befores: std::array::from_fn(|place| small(place.wrapping_sub(1))),
            places: 0,
            count: 0,
            start,
            end,
        }
    }

    #[inline]
    fn begin_with_ascii(&mut self, vocabulary: &Vocabulary, text: &[u8]) {
        let piece = &text[self.start..self.end];
        for (place, begin) in self.begins.iter_mut().take(piece.len()).enumerate() {
            *begin = small(place);
        }
        for (place, (bytes, join)) in piece.windows(2).zip(&mut self.joins).enumerate() {
            *join = joined(vocabulary.rank_of_ascii(bytes[0], bytes[1]), place);
        }
        self.places = piece.len();
    }

    /// Begins with characters where they are tokens that are made first, and else with bytes.
    #[inline]
    fn begin_with_characters(&mut self, vocabulary: &Vocabulary, text: &[u8]) {
        let piece = &text[self.start..self.end];
        let (mut begin, mut place) = (0, 0);
        while begin < piece.len() {
            self.begins[place % PLACES] = small(begin);
            begin += vocabulary.characters.length(piece, begin);
            if place > 0 {
                let before = (place - 1) % PLACES;
                let left = self.start + usize::from(self.begins[before]);
                let rank = vocabulary.rank_or_lower(text, left, self.start + begin);
                self.joins[before] = joined(rank, before);
            }
            place += 1;
        }
        self.places = place;
    }

    /// Makes the token of the lowest rank, the leftmost of them, until no two parts make one, as
    /// the encoding is defined.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the bits of a rank, and of a place")]
    fn merge(&mut self, vocabulary: &Vocabulary, text: &[u8]) {
        let used = self.places.next_multiple_of(LANES).min(PLACES);
        if Self::IN_BLOCKS {
            for (minimum, joins) in self.minima.iter_mut().zip(self.joins.chunks(BLOCK)) {
                *minimum = lowest(joins);
            }
        }
        loop {
            let best = lowest(if Self::IN_BLOCKS { &self.minima } else { &self.joins[..used] });
            if best == NOT_JOINED {
                return;
            }
            let (rank, left) = ((best >> PLACE_BITS) as u32, best as usize % PLACES);
            let middle = usize::from(self.nexts[left]);
            let end = usize::from(self.nexts[middle % PLACES]);
            let (begin, stop) = (self.begin(left), self.begin(end));
            if !vocabulary.is(rank, text, begin, stop) {
                self.join(left, joined(vocabulary.rank(text, begin, stop), left));
                continue;
            }
            self.count -= 1;
            self.nexts[left] = small(end);
            self.join(middle % PLACES, NOT_JOINED);
            if self.count == 2 {
                // They are the whole piece, which is no token.
                return;
            }
            if end < self.places {
                let end = end % PLACES;
                self.befores[end] = small(left);
                let stop = self.begin(usize::from(self.nexts[end]));
                self.join(left, joined(vocabulary.rank_or_lower(text, begin, stop), left));
            } else {
                self.join(left, NOT_JOINED);
            }
            if left > 0 {
                let before = usize::from(self.befores[left]) % PLACES;
                let begin = self.begin(before);
                self.join(before, joined(vocabulary.rank_or_lower(text, begin, stop), before));
            }
        }
    }

    #[inline]
    fn join(&mut self, place: usize, join: u64) {
        self.joins[place] = join;
        if Self::IN_BLOCKS {
            let block = place / BLOCK;
            self.minima[block] = lowest(&self.joins[block * BLOCK..][..BLOCK]);
        }
    }

    /// Where the part at a place begins, which is the end for the place behind all.
    #[inline]
    fn begin(&self, place: usize) -> usize {
        if place < self.places {
            self.start + usize::from(self.begins[place % PLACES])
        } else {
            self.end
        }
    }

    /// How many parts there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Where the parts end.
    pub(super) fn ends(&self) -> impl Iterator<Item = usize> {
        let mut place = 0;
        std::iter::from_fn(move || {
            if place >= self.places {
                return None;
            }
            place = usize::from(self.nexts[place % PLACES]);
            Some(self.begin(place))
        })
    }
}

/// A number of the piece, which has at most 256 bytes; what is more is never used.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "numbers of a piece are small")]
const fn small(number: usize) -> u16 {
    number as u16
}

/// How it is known that the part at this place makes a token with the next.
#[inline]
fn joined(rank: u32, place: usize) -> u64 {
    if rank == NO_RANK { NOT_JOINED } else { u64::from(rank) << PLACE_BITS | place as u64 }
}

#[inline]
fn lowest(joins: &[u64]) -> u64 {
    let mut lowest = [NOT_JOINED; LANES];
    for joins in joins.as_chunks::<LANES>().0 {
        for (lowest, join) in lowest.iter_mut().zip(joins) {
            *lowest = (*lowest).min(*join);
        }
    }
    lowest.into_iter().fold(NOT_JOINED, u64::min)
}
