//! The tokens of an encoding, to be found by their bytes.

use std::hint::black_box;

use bpe_openai::byte_pair_encoding::BytePairEncoding;
use wide::u32x8;

use super::characters::Characters;
use super::parts::Parts;
use super::piece::{Entry, LONG, SHORT, hash, key};

/// The tokens of an encoding.
///
/// A slot holds a part of its token's hash and the token's rank, four bytes in all: so most of what
/// is no token is told apart without a look at any token's bytes, and the slots stay near the
/// processor. They are looked at for every merge, and far memory takes as long as a hundred
/// instructions.
pub(super) struct Vocabulary {
    bpe: &'static BytePairEncoding,
    buckets: Box<[Bucket]>,
    /// The short tokens, by their ranks.
    keys: Box<[Entry<2>]>,
    /// The ranks of the tokens of two ASCII characters.
    ascii: Box<[u32]>,
    pub(super) characters: Characters,
}

/// As many slots as the memory gives at once, those of lower rank first.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Bucket([u32; 16]);

const BUCKET_BITS: u32 = 14;
const BUCKETS: usize = 1 << BUCKET_BITS;
/// Ranks are below 2^18, and those bits of a slot.
const RANK_BITS: u32 = 18;
/// More than any rank.
pub(super) const NO_RANK: u32 = (1 << RANK_BITS) - 1;
/// No token has all these bits, because none has that rank.
const EMPTY: u32 = u32::MAX;
const ASCII_PAIRS: usize = 1 << 14;

/// Bytes of a piece that is merged with little memory.
const FEW: usize = 32;
/// Bytes of a piece that is merged at once.
const MANY: usize = 64;
/// Bytes that are merged together of a long piece: more than the longest token has.
const WINDOW: usize = 256;
/// Of a window that does not end the piece, what begins behind this is merged again, together with
/// what follows.
const KEPT: usize = 192;

impl Vocabulary {
    pub(super) fn new(bpe: &'static BytePairEncoding) -> Self {
        let tokens = u32::try_from(bpe.num_tokens()).unwrap_or(u32::MAX);
        assert!(tokens < NO_RANK, "a vocabulary of {tokens} tokens does not fit the slots");
        let mut vocabulary = Self {
            bpe,
            buckets: vec![Bucket([EMPTY; 16]); BUCKETS].into_boxed_slice(),
            keys: vec![[0; 2]; tokens as usize].into_boxed_slice(),
            ascii: vec![NO_RANK; ASCII_PAIRS].into_boxed_slice(),
            characters: Characters::new(),
        };
        for rank in 0..tokens {
            vocabulary.learn(rank, bpe.token_bytes(rank));
        }
        vocabulary.characters.have_learned();
        vocabulary
    }

    /// Learns the next token, after all of lower rank.
    fn learn(&mut self, rank: u32, token: &[u8]) {
        if token.is_empty() {
            return;
        }
        if let [left, right] = *token
            && token.is_ascii()
        {
            self.ascii[ascii_pair(left, right)] = rank;
        }
        let hash = if token.len() <= SHORT {
            let key = key::<2, 16>(token, 0, token.len());
            self.keys[rank as usize] = key;
            hash(&key)
        } else {
            hash_of(token, 0, token.len())
        };
        let (mut place, mark) = place(hash);
        loop {
            let bucket = &mut self.buckets[place].0;
            if let Some(slot) = bucket.iter_mut().find(|slot| **slot == EMPTY) {
                *slot = mark | rank;
                break;
            }
            place = (place + 1) % BUCKETS;
        }
        self.characters.learn(token);
    }

    /// The rank of the token from `start` to `end`, or a lower one: of no other token at all for
    /// most of what is none.
    #[inline]
    pub(super) fn rank_or_lower(&self, text: &[u8], start: usize, end: usize) -> u32 {
        self.candidates(hash_of(text, start, end)).next().unwrap_or(NO_RANK)
    }

    /// The rank of the token from `start` to `end`.
    #[cold]
    #[inline(never)]
    pub(super) fn rank(&self, text: &[u8], start: usize, end: usize) -> u32 {
        let hash = hash_of(text, start, end);
        // An empty slot can look like that of a token.
        let mut ranks = self.candidates(hash).take_while(|rank| *rank != NO_RANK);
        ranks.find(|rank| self.is(*rank, text, start, end)).unwrap_or(NO_RANK)
    }

    /// Asks the memory for the slots of a hash.
    #[inline]
    pub(super) fn ask_for_slots(&self, hash: u64) {
        black_box(self.buckets[place(hash).0].0[0]);
    }

    /// Asks the memory for the short token that a hash may be of.
    #[inline]
    pub(super) fn ask_for_token(&self, hash: u64) {
        let rank = self.candidates(hash).next().unwrap_or(NO_RANK);
        if let Some(key) = self.keys.get(rank as usize) {
            black_box(key[0]);
        }
    }

    /// The rank of the token of two ASCII characters.
    #[inline]
    pub(super) fn rank_of_ascii(&self, left: u8, right: u8) -> u32 {
        self.ascii[ascii_pair(left, right)]
    }

    /// Whether the token of a rank is what stands from `start` to `end`.
    #[inline]
    pub(super) fn is(&self, rank: u32, text: &[u8], start: usize, end: usize) -> bool {
        if end - start <= SHORT {
            self.keys[rank as usize] == key::<2, 16>(text, start, end - start)
        } else {
            self.bpe.token_bytes(rank) == &text[start..end]
        }
    }

    /// The ranks of the tokens that a hash may be of, the lowest first.
    #[inline]
    fn candidates(&self, hash: u64) -> impl Iterator<Item = u32> {
        let (mut place, mark) = place(hash);
        let mut bucket = &self.buckets[place];
        let mut matches = bucket.matches(mark);
        std::iter::from_fn(move || {
            while matches == 0 {
                if bucket.0[15] == EMPTY {
                    return None;
                }
                place = (place + 1) % BUCKETS;
                bucket = &self.buckets[place];
                matches = bucket.matches(mark);
            }
            let slot = matches.trailing_zeros() as usize;
            matches &= matches - 1;
            Some(bucket.0[slot % 16] & NO_RANK)
        })
    }

    /// Counts the tokens of the piece from `start` to `end`.
    ///
    /// A piece that is a token as a whole is merged to that token, whatever else it could be cut
    /// into: so nothing has to be merged to know its count.
    pub(super) fn count(&self, text: &[u8], start: usize, end: usize) -> usize {
        if end - start > MANY {
            let piece = &text[start..end];
            return self.count_long(piece).unwrap_or_else(|| self.bpe.count(piece));
        }
        let rank = self.rank_or_lower(text, start, end);
        if rank != NO_RANK
            && (self.is(rank, text, start, end) || self.rank(text, start, end) != NO_RANK)
        {
            return 1;
        }
        if end - start <= FEW {
            Parts::<FEW>::merged(self, text, start, end).count()
        } else {
            Parts::<MANY>::merged(self, text, start, end).count()
        }
    }

    /// Counts the tokens of a piece in windows, each of which begins with a token of the one before.
    ///
    /// A sequence of tokens is what a text is merged to as soon as each two neighbours are what
    /// they are merged to together. So where the window gives the token that it begins with, the
    /// tokens before and behind fit; where it does not, there is no count.
    fn count_long(&self, piece: &[u8]) -> Option<usize> {
        let (mut start, mut tokens, mut first) = (0, 0, None);
        loop {
            let end = piece.len().min(start + WINDOW);
            let parts: Parts<WINDOW> = if self.rank(piece, start, end) == NO_RANK {
                Parts::merged(self, piece, start, end)
            } else {
                Parts::whole(start, end)
            };
            let found = parts.ends().next();
            if first.is_some() && found != first {
                return None;
            }
            if end == piece.len() {
                return Some(tokens + parts.count());
            }
            let mut begin = start;
            let mut kept = (0, start, None);
            for (count, end) in parts.ends().enumerate() {
                if begin - start > KEPT {
                    break;
                }
                kept = (count, begin, Some(end));
                begin = end;
            }
            if kept.0 == 0 {
                return None;
            }
            tokens += kept.0;
            (start, first) = (kept.1, kept.2);
        }
    }
}

impl Bucket {
    /// A bit for each slot with this mark.
    #[inline]
    fn matches(&self, mark: u32) -> u32 {
        let mark = u32x8::splat(mark);
        let bits = |slots: &[u32; 8]| {
            let marks = u32x8::new(*slots) & u32x8::splat(!NO_RANK);
            marks.simd_eq(mark).to_bitmask()
        };
        let (halves, _) = self.0.as_chunks();
        bits(&halves[0]) | bits(&halves[1]) << 8
    }
}

/// The hash of what stands from `start` to `end`.
#[inline]
fn hash_of(text: &[u8], start: usize, end: usize) -> u64 {
    let length = end - start;
    if length <= SHORT {
        hash(&key::<2, 16>(text, start, length))
    } else {
        hash_of_long(text, start, end)
    }
}

#[inline(never)]
fn hash_of_long(text: &[u8], start: usize, end: usize) -> u64 {
    if end - start <= LONG {
        return hash(&key::<4, 32>(text, start, end - start));
    }
    let parts = text[start..end].chunks(LONG).map(|part| hash(&key::<4, 32>(part, 0, part.len())));
    parts.fold(0, |mixed: u64, part| {
        (mixed.rotate_left(29) ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

#[inline]
fn ascii_pair(left: u8, right: u8) -> usize {
    (usize::from(left) << 7 | usize::from(right)) % ASCII_PAIRS
}

/// The bucket of a hash, and the part of the hash that a slot holds.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "so many bits are left")]
fn place(hash: u64) -> (usize, u32) {
    let place = hash >> (64 - BUCKET_BITS);
    let mark = (hash >> (32 - BUCKET_BITS)) as u32 & !NO_RANK;
    (place as usize, mark)
}

#[cfg(test)]
mod tests {
    use bpe_openai::Tokenizer;
    use proptest::prelude::*;

    use super::*;

    /// The encodings' tokenizers, and their vocabularies.
    fn vocabularies() -> impl Iterator<Item = (&'static Tokenizer, Vocabulary)> {
        let tokenizers = [bpe_openai::o200k_base(), bpe_openai::cl100k_base()].into_iter();
        tokenizers.map(|tokenizer| (tokenizer, Vocabulary::new(&tokenizer.bpe)))
    }

    #[test]
    fn every_token_is_found_by_its_bytes_and_is_what_they_are_merged_to() {
        for (tokenizer, vocabulary) in vocabularies() {
            for rank in 0..u32::try_from(tokenizer.bpe.num_tokens()).unwrap() {
                let token = tokenizer.bpe.token_bytes(rank);
                assert!(token.len() <= WINDOW);
                assert_eq!(vocabulary.rank(token, 0, token.len()), rank, "{token:?}");
                assert!(vocabulary.rank_or_lower(token, 0, token.len()) <= rank, "{token:?}");
                assert_eq!(tokenizer.bpe.count(token), 1, "{token:?}");
                assert_eq!(vocabulary.count(token, 0, token.len()), 1, "{token:?}");
            }
            for other in ["zqzq", " \u{1}\u{2}"] {
                assert_eq!(vocabulary.rank(other.as_bytes(), 0, other.len()), NO_RANK, "{other:?}");
            }
        }
    }

    #[test]
    fn every_token_is_made_of_two_of_lower_rank() {
        for (tokenizer, vocabulary) in vocabularies() {
            for rank in 0..u32::try_from(tokenizer.bpe.num_tokens()).unwrap() {
                let token = tokenizer.bpe.token_bytes(rank);
                let is_lower = |start, end| vocabulary.rank(token, start, end) < rank;
                let is_made = |cut| is_lower(0, cut) && is_lower(cut, token.len());
                assert!(token.len() == 1 || (1..token.len()).any(is_made), "{token:?}");
            }
        }
    }

    #[test]
    fn pieces_are_merged_as_the_reference_does() {
        for (tokenizer, vocabulary) in vocabularies() {
            let check = |piece: &str| {
                let expected = tokenizer.bpe.count(piece.as_bytes());
                let found = vocabulary.count(piece.as_bytes(), 0, piece.len());
                assert_eq!(found, expected, "{piece:?}");
            };
            proptest!(|(
                any in "\\PC{1,300}",
                word in "[a-zé東ж]{1,30}",
                cyrillic in " ?[а-яё]{1,40}",
                arabic in " ?[ء-ي]{1,40}",
                hindi in " ?[अ-ह\u{93e}-\u{94d}]{1,40}",
                hangul in " ?[가-힣]{1,40}",
                emoji in "[👩👧👍🏽\u{200d}\u{fe0f} ]{1,100}",
                letters in "[ab ]{1,900}",
                gaps in "[\t\n ]{1,900}",
            )| {
                for piece in [&any, &word, &cyrillic, &arabic, &hindi, &hangul, &emoji, &letters, &gaps] {
                    check(piece);
                }
            });
        }
    }
}
