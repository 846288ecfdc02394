//! The tokens of an encoding, to be found by their bytes, and the merging of short pieces.

use bpe_openai::byte_pair_encoding::BytePairEncoding;

use super::piece::{Entry, LONG, SHORT, hash, key};

/// The tokens of up to [`LONG`] bytes with their ranks.
///
/// A slot holds a part of its token's hash and the token's rank, four bytes in all: so most of what
/// is no token is told apart without looking at any token's bytes.
pub(super) struct Vocabulary {
    bpe: &'static BytePairEncoding,
    slots: Box<[u32]>,
    /// The short tokens, by their ranks.
    keys: Box<[Entry<2>]>,
    /// The ranks of the tokens of two bytes, by these bytes.
    pairs: Box<[u32]>,
    /// Bits by the hashes of the tokens that hold only a part of some character. They are few, so
    /// what a merge makes on its way to whole characters is mostly told apart here.
    broken: Box<[u64; BROKEN_WORDS]>,
}

const SLOT_BITS: u32 = 19;
/// Ranks are below 2^18, and those bits of a slot.
const RANK_BITS: u32 = 18;
/// More than any rank.
const NO_RANK: u32 = (1 << RANK_BITS) - 1;
/// No token has all these bits, because none has that rank.
const EMPTY: u32 = u32::MAX;

const BROKEN_BITS: u32 = 15;
const BROKEN_WORDS: usize = 1 << (BROKEN_BITS - 6);

/// Where two parts can be joined: the rank of what they make, then the place of the left one.
const PLACE_BITS: u32 = 5;
/// More than the bytes of the longest piece.
const PLACES: usize = 1 << PLACE_BITS;
const _: () = assert!(LONG < PLACES);
/// The place behind each.
const NEXT: [u8; PLACES] = places(1);
/// The place before each.
const BEFORE: [u8; PLACES] = places(u8::MAX);
/// Where they cannot.
const NOT_JOINED: i32 = i32::MAX;

impl Vocabulary {
    pub(super) fn new(bpe: &'static BytePairEncoding) -> Self {
        let tokens = u32::try_from(bpe.num_tokens()).unwrap_or(NO_RANK).min(NO_RANK);
        let slots = vec![EMPTY; 1 << SLOT_BITS].into_boxed_slice();
        let keys = vec![[0; 2]; tokens as usize].into_boxed_slice();
        let pairs = vec![NO_RANK; 1 << 16].into_boxed_slice();
        let broken = Box::new([0; BROKEN_WORDS]);
        let mut vocabulary = Self { bpe, slots, keys, pairs, broken };
        for rank in 0..tokens {
            vocabulary.insert(rank);
        }
        vocabulary
    }

    fn insert(&mut self, rank: u32) {
        let token = self.bpe.token_bytes(rank);
        if let [left, right] = *token {
            self.pairs[pair(left, right)] = rank;
        }
        if token.is_empty() || token.len() > LONG {
            return;
        }
        let hash = if token.len() <= SHORT {
            let key = key::<2, 16>(token, 0, token.len());
            self.keys[rank as usize] = key;
            hash(&key)
        } else {
            hash(&key::<4, 32>(token, 0, token.len()))
        };
        if std::str::from_utf8(token).is_err() {
            let bit = broken(hash);
            self.broken[bit / 64] |= 1 << (bit % 64);
        }
        let (mut place, mark) = slot(hash);
        while self.slots[place] != EMPTY {
            place = (place + 1) % (1 << SLOT_BITS);
        }
        self.slots[place] = mark << RANK_BITS | rank;
    }

    /// The rank of the token with this hash for which `is_it` says so; [`NO_RANK`] where there is
    /// none.
    #[inline]
    fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> u32 {
        let (mut place, mark) = slot(hash);
        loop {
            let slot = self.slots[place];
            if slot == EMPTY {
                return NO_RANK;
            }
            let rank = slot & NO_RANK;
            if slot >> RANK_BITS == mark && is_it(rank) {
                return rank;
            }
            place = (place + 1) % (1 << SLOT_BITS);
        }
    }

    /// The rank of a short token.
    #[inline]
    fn short_rank(&self, key: &Entry<2>, hash: u64) -> u32 {
        self.find(hash, |rank| self.keys[rank as usize] == *key)
    }

    /// The rank of the token from `start` to `end`, at most [`LONG`] bytes of `text`, which is
    /// UTF-8.
    #[inline]
    fn rank(&self, text: &[u8], start: usize, end: usize) -> u32 {
        let length = end - start;
        let is_inner = |byte: &u8| byte & 0xc0 == 0x80;
        let is_broken = is_inner(&text[start]) || text.get(end).is_some_and(is_inner);
        let is_none = |hash: u64| {
            let bit = broken(hash);
            is_broken && self.broken[bit / 64] >> (bit % 64) & 1 == 0
        };
        if length <= SHORT {
            let key = key::<2, 16>(text, start, length);
            let hash = hash(&key);
            return if is_none(hash) { NO_RANK } else { self.short_rank(&key, hash) };
        }
        let hash = hash(&key::<4, 32>(text, start, length));
        if is_none(hash) {
            return NO_RANK;
        }
        self.find(hash, |rank| self.bpe.token_bytes(rank) == &text[start..end])
    }

    /// Counts the tokens of the piece from `start` to `end`.
    ///
    /// A piece that is a token as a whole is merged to that token, whatever else it could be cut
    /// into: so nothing has to be merged to know its count.
    pub(super) fn count(&self, text: &[u8], start: usize, end: usize) -> usize {
        if end - start > LONG {
            return self.bpe.count(&text[start..end]);
        }
        if self.rank(text, start, end) != NO_RANK {
            return 1;
        }
        self.merge(text, start, end - start)
    }

    /// Counts the tokens of a short piece whose key and hash are known.
    pub(super) fn count_short(
        &self,
        key: &Entry<2>,
        hash: u64,
        text: &[u8],
        start: usize,
        end: usize,
    ) -> usize {
        if self.short_rank(key, hash) != NO_RANK {
            return 1;
        }
        self.merge(text, start, end - start)
    }

    /// Joins the two neighbours that make the token of the lowest rank, the leftmost of them, until
    /// no two make a token, as the encoding is defined.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks are not negative, and places are below 32"
    )]
    fn merge(&self, text: &[u8], start: usize, length: usize) -> usize {
        // Of a fixed length, so that the lowest of them is found by wide instructions.
        let mut joins = [NOT_JOINED; PLACES];
        // Parts are known by where they begin: where each ends, and where the one before begins.
        let (mut ends, mut befores) = (NEXT, BEFORE);
        for (place, bytes) in text[start..start + length].windows(2).enumerate() {
            joins[place % PLACES] = joined(self.pairs[pair(bytes[0], bytes[1])], place);
        }
        let mut parts = length;
        loop {
            let best = joins.iter().fold(NOT_JOINED, |best, join| best.min(*join));
            if best == NOT_JOINED {
                return parts;
            }
            let left = best as usize % PLACES;
            let middle = usize::from(ends[left]) % PLACES;
            let end = usize::from(ends[middle]) % PLACES;
            parts -= 1;
            joins[middle] = NOT_JOINED;
            ends[left] = ends[middle];
            joins[left] = NOT_JOINED;
            if end < length {
                befores[end] = left as u8;
                let rank = self.rank(text, start + left, start + usize::from(ends[end]));
                joins[left] = joined(rank, left);
            }
            if left > 0 {
                let before = usize::from(befores[left]) % PLACES;
                joins[before] = joined(self.rank(text, start + before, start + end), before);
            }
        }
    }
}

/// How a place is known where the token of this rank can be made.
#[inline]
#[expect(clippy::cast_possible_wrap, reason = "ranks and places have 23 bits together")]
#[expect(clippy::cast_possible_truncation, reason = "a place is below 32")]
const fn joined(rank: u32, place: usize) -> i32 {
    if rank == NO_RANK { NOT_JOINED } else { (rank << PLACE_BITS | place as u32) as i32 }
}

/// The bit of a token that holds only a part of some character.
#[inline]
fn broken(hash: u64) -> usize {
    (hash >> (64 - BROKEN_BITS)) as usize
}

/// Each place with something added to it.
#[expect(clippy::cast_possible_truncation, reason = "there are 32 places")]
const fn places(added: u8) -> [u8; PLACES] {
    let mut places = [0; PLACES];
    let mut place = 0;
    while place < PLACES {
        places[place] = (place as u8).wrapping_add(added);
        place += 1;
    }
    places
}

fn pair(left: u8, right: u8) -> usize {
    usize::from(left) << 8 | usize::from(right)
}

/// Where a token with this hash belongs, and the part of the hash that its slot holds.
#[inline]
fn slot(hash: u64) -> (usize, u32) {
    let place = hash >> (64 - SLOT_BITS);
    let mark = hash >> (64 - SLOT_BITS - (32 - RANK_BITS)) & ((1 << (32 - RANK_BITS)) - 1);
    (place as usize, mark as u32)
}

#[cfg(test)]
mod tests {
    use bpe_openai::Tokenizer;
    use proptest::prelude::*;

    use super::*;

    fn check(tokenizer: &'static Tokenizer, vocabulary: &Vocabulary, piece: &[u8]) {
        let found = vocabulary.count(piece, 0, piece.len());
        assert_eq!(found, tokenizer.bpe.count(piece), "{piece:?}");
        if piece.len() <= SHORT {
            let key = key::<2, 16>(piece, 0, piece.len());
            assert_eq!(vocabulary.count_short(&key, hash(&key), piece, 0, piece.len()), found);
        }
    }

    #[test]
    fn every_token_of_a_piece_s_size_is_found_by_its_bytes() {
        for tokenizer in [bpe_openai::o200k_base(), bpe_openai::cl100k_base()] {
            let vocabulary = Vocabulary::new(&tokenizer.bpe);
            for rank in 0..u32::try_from(tokenizer.bpe.num_tokens()).unwrap() {
                let token = tokenizer.bpe.token_bytes(rank);
                if token.len() <= LONG {
                    assert_eq!(vocabulary.rank(token, 0, token.len()), rank, "{token:?}");
                }
            }
            for other in ["zqzq", " \u{1}\u{2}"] {
                assert_eq!(vocabulary.rank(other.as_bytes(), 0, other.len()), NO_RANK, "{other:?}");
            }
        }
    }

    #[test]
    fn pieces_are_merged_as_the_reference_does() {
        let tokenizer = bpe_openai::o200k_base();
        let vocabulary = Vocabulary::new(&tokenizer.bpe);
        proptest!(|(
            characters in "\\PC{1,12}",
            word in "[a-zé東ж]{1,30}",
            letters in "[ab ]{1,30}",
        )| {
            check(tokenizer, &vocabulary, characters.as_bytes());
            check(tokenizer, &vocabulary, word.as_bytes());
            check(tokenizer, &vocabulary, letters.as_bytes());
        });
    }
}
