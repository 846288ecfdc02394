//! Where runs of Chinese, Japanese and Korean may be cut without changing their count.

use bpe_openai::byte_pair_encoding::BytePairEncoding;

/// Which characters of three bytes some token holds next to each other.
///
/// Where no token reaches from one character into the next, no merge does either, so what stands
/// before and behind is counted apart. Such scripts have no spaces between words, but their tokens
/// are short: cut here, a piece of a sentence becomes words, and the cache knows them.
pub(super) struct Seams {
    /// Bits by the hash of two characters; another pair may share one, which only spares a cut.
    neighbours: Box<[u64]>,
    /// Characters of which a token holds a part together with a neighbour: never cut beside them.
    shared: Box<[u64; SHARED_WORDS]>,
}

const NEIGHBOUR_BITS: u32 = 18;
const NEIGHBOUR_WORDS: usize = 1 << (NEIGHBOUR_BITS - 6);
/// One bit for each character of three bytes or less.
const SHARED_WORDS: usize = (1 << 16) / 64;

/// The first bytes of characters of three bytes.
const LEADS: std::ops::Range<u8> = 0xe0..0xf0;
/// The first bytes of Chinese, Japanese and Korean characters: U+3000 and above.
const CUT_LEADS: std::ops::Range<u8> = 0xe3..0xf0;

impl Seams {
    pub(super) fn new(bpe: &BytePairEncoding) -> Self {
        let mut seams = Self {
            neighbours: vec![0; NEIGHBOUR_WORDS].into_boxed_slice(),
            shared: Box::new([0; SHARED_WORDS]),
        };
        for rank in 0..u32::try_from(bpe.num_tokens()).unwrap_or(u32::MAX) {
            let token = bpe.token_bytes(rank);
            for place in 1..token.len() {
                if LEADS.contains(&token[place]) && !token[place - 1].is_ascii() {
                    seams.learn(&token[..place], &token[place..]);
                }
            }
        }
        seams
    }

    /// Learns that a token reaches from the end of `left` into the begin of `right`.
    fn learn(&mut self, left: &[u8], right: &[u8]) {
        let whole_left = left.last_chunk::<3>().filter(|bytes| LEADS.contains(&bytes[0]));
        let whole_right = right.first_chunk::<3>();
        match (whole_left, whole_right) {
            (Some(left), Some(right)) => {
                let bit = neighbours(code(*left), code(*right));
                self.neighbours[bit / 64] |= 1 << (bit % 64);
            }
            (None, Some(right)) => self.share(code(*right), code(*right)),
            (Some(left), None) => self.share(code(*left), code(*left)),
            (None, None) => {
                // Whatever character begins like this.
                let second = right.get(1).copied();
                let first = code([right[0], second.unwrap_or(0x80), 0x80]);
                self.share(first, code([right[0], second.unwrap_or(0xbf), 0xbf]));
            }
        }
    }

    fn share(&mut self, first: usize, last: usize) {
        for code in first..=last {
            self.shared[code / 64] |= 1 << (code % 64);
        }
    }

    /// Whether a piece is of a kind that may have seams.
    #[inline]
    pub(super) fn may_cut(piece: &[u8]) -> bool {
        piece.last_chunk::<3>().is_some_and(|bytes| CUT_LEADS.contains(&bytes[0]))
    }

    /// Calls `see` with the start and the end of each part of the piece from `start` to `end`.
    pub(super) fn split(
        &self,
        text: &[u8],
        mut start: usize,
        end: usize,
        mut see: impl FnMut(usize, usize),
    ) {
        // The character before, where a cut may stand behind it.
        let mut before = None;
        let mut place = start;
        while place < end {
            let (here, length) = match text[place] {
                lead if CUT_LEADS.contains(&lead) => {
                    let code = text[place..end].first_chunk::<3>().copied().map(code);
                    (code.filter(|code| self.shared[code / 64] >> (code % 64) & 1 == 0), 3)
                }
                0..0x80 => (None, 1),
                0x80..0xe0 => (None, 2),
                0xe0..0xf0 => (None, 3),
                0xf0.. => (None, 4),
            };
            if let (Some(left), Some(right)) = (before, here) {
                let bit = neighbours(left, right);
                if self.neighbours[bit / 64] >> (bit % 64) & 1 == 0 {
                    see(start, place);
                    start = place;
                }
            }
            before = here;
            place += length;
        }
        see(start, end);
    }
}

/// The number of a character of three bytes.
#[inline]
fn code(bytes: [u8; 3]) -> usize {
    let bits = |place: usize, mask: u8| usize::from(bytes[place] & mask);
    bits(0, 0x0f) << 12 | bits(1, 0x3f) << 6 | bits(2, 0x3f)
}

/// The bit of two characters.
#[inline]
fn neighbours(left: usize, right: usize) -> usize {
    let mixed = ((left << 16 | right) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (64 - NEIGHBOUR_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use bpe_openai::{cl100k_base, o200k_base};
    use proptest::prelude::*;

    use super::*;

    fn parts<'a>(seams: &Seams, text: &'a str) -> Vec<&'a str> {
        let mut parts = Vec::new();
        seams.split(text.as_bytes(), 0, text.len(), |start, end| parts.push(&text[start..end]));
        parts
    }

    #[test]
    fn words_of_the_vocabulary_stay_whole() {
        let seams = Seams::new(&o200k_base().bpe);
        let check = |text: &str, expected: &[&str]| assert_eq!(parts(&seams, text), expected);
        check("我们去散步吧", &["我们", "去", "散", "步", "吧"]);
        check("東京の天気", &["東京の", "天", "気"]);
        check("abcé", &["abcé"]);
        check("", &[""]);
    }

    #[test]
    fn no_token_reaches_over_a_cut() {
        for tokenizer in [o200k_base(), cl100k_base()] {
            let seams = Seams::new(&tokenizer.bpe);
            for rank in 0..u32::try_from(tokenizer.bpe.num_tokens()).unwrap() {
                let token = tokenizer.bpe.token_bytes(rank);
                // A token may hold parts of characters: any that could stand around it will do.
                for (before, behind) in [("東", "東"), ("가", "あ"), ("々", "？")] {
                    let Ok(text) = std::str::from_utf8(token) else { continue };
                    let around = format!("{before}{text}{behind}");
                    let mut ends = vec![0];
                    ends.extend(parts(&seams, &around).iter().scan(0, |end, part| {
                        *end += part.len();
                        Some(*end)
                    }));
                    let inside = before.len() + 1..before.len() + text.len();
                    assert!(!ends.iter().any(|end| inside.contains(end)), "{text:?} is cut");
                }
            }
        }
    }

    /// Chinese, Japanese and Korean characters, common ones above all, and a few others.
    fn characters() -> impl Strategy<Value = Vec<char>> {
        let range = |first: char, last: char| proptest::char::range(first, last);
        let character = prop_oneof![
            4 => proptest::sample::select("的一是不了人我在有他这中大来上国個們日本語東京のをにはがでとしますアイウ한국어다는이信乐".chars().collect::<Vec<_>>()),
            2 => range('\u{3000}', '\u{30ff}'),
            2 => range('\u{4e00}', '\u{9fff}'),
            2 => range('\u{ac00}', '\u{d7a3}'),
            1 => range('\u{800}', '\u{ffff}'),
            1 => any::<char>(),
        ];
        proptest::collection::vec(character, 1..40)
    }

    #[test]
    fn what_is_cut_has_the_count_of_the_whole() {
        for tokenizer in [o200k_base(), cl100k_base()] {
            let seams = Seams::new(&tokenizer.bpe);
            proptest!(ProptestConfig::with_cases(4_000), |(text in characters())| {
                let text: String = text.into_iter().collect();
                let parts = parts(&seams, &text);
                prop_assert_eq!(parts.concat(), text.as_str());
                let sum: usize = parts.iter().map(|part| tokenizer.bpe.count(part.as_bytes())).sum();
                prop_assert_eq!(sum, tokenizer.bpe.count(text.as_bytes()), "{:?}", parts);
            });
        }
    }
}
