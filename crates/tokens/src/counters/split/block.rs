//! The pieces of ASCII text under the pattern of `o200k_base`, up to 64 bytes at a time.
//!
//! Each class of characters is a word with a bit for each byte. Where pieces begin follows from
//! these words by shifts and carries, without a look at any byte alone: a text's next character is
//! hard to foresee, so a branch for each would be taken wrong too often.

use wide::u8x16;

/// How many bytes a block has at most.
const BYTES: usize = 64;
/// With fewer ASCII characters in front, a block costs more than it saves.
const FEWEST: usize = 8;

/// ASCII text at the begin of a piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    /// Where pieces begin, but for the first.
    begins: u64,
    /// The end of the last piece, where the text ends with it.
    end: Option<usize>,
}

impl Block {
    /// The pieces at the begin of `text`; none where that is not ASCII.
    #[inline]
    pub(super) fn at(text: &[u8]) -> Option<Self> {
        if !text.first_chunk::<FEWEST>()?.is_ascii() {
            return None;
        }
        if let Some(bytes) = text.first_chunk() {
            return Some(Self::new(bytes, text.len()));
        }
        let mut bytes = [0; BYTES];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self::new(&bytes, text.len()))
    }

    /// The ends of the pieces that end in this block for certain.
    #[inline]
    pub(super) fn ends(self) -> impl Iterator<Item = usize> {
        let mut begins = self.begins;
        let inner = std::iter::from_fn(move || {
            let place = begins.trailing_zeros() as usize;
            begins &= begins.wrapping_sub(1);
            (place < BYTES).then_some(place)
        });
        inner.chain(self.end)
    }

    #[inline]
    fn new(bytes: &[u8; BYTES], left: usize) -> Self {
        let Sets { upper, letters, digits, spaces, newlines, blanks, apostrophes, stops } =
            Sets::new(bytes);
        // What can be judged without knowing what follows: all of it, or less.
        let mut length = left.min(BYTES);
        let mut is_last = left <= BYTES;
        let stop = stops.trailing_zeros() as usize;
        if stop < length {
            (length, is_last) = (stop, false);
        }
        let mut apostrophes = apostrophes & letters << 1;
        if !is_last {
            // A contraction's letters might stand outside.
            let near = apostrophes & below(length) & !below(length.saturating_sub(2));
            length = length.min(near.trailing_zeros() as usize);
        }
        let all = below(length);
        let (upper, letters, digits) = (upper & all, letters & all, digits & all);
        let (spaces, newlines) = (spaces & all, newlines & all);
        apostrophes &= all;

        let signs = all & !(letters | digits | spaces);
        // Signs take the newlines behind them along: a carry runs through these and clears them.
        let taken = newlines & !newlines.wrapping_add(signs << 1 & newlines);
        let (gaps, breaks) = (spaces & !taken, newlines & !taken);
        let inner = gaps & !breaks;
        let behind_break = breaks << 1 & inner;
        let sign_begins = signs & !(signs << 1) & !(blanks << 1);
        // One such character before a word belongs to it.
        let prefixes = inner | sign_begins;

        let mut begins = gaps & !(gaps << 1) | behind_break;
        begins |= inner & !(gaps >> 1);
        begins |= letters & !(letters << 1) & !(prefixes << 1) | upper & (letters & !upper) << 1;
        begins |= sign_begins | thirds(digits);
        begins = contract(begins, bytes, letters, apostrophes);

        // Of spaces that end with the block, and of blank lines with spaces in them, only the begin
        // is certain here.
        let after = inner.wrapping_add(behind_break) & !inner & breaks;
        let mut unknown = after.trailing_zeros() as usize;
        if gaps & !(all >> 1) != 0 {
            if is_last {
                // The last space ends no piece before it.
                begins &= !(inner & !(all >> 1)) | gaps & !(gaps << 1) | behind_break;
            } else {
                unknown = unknown.min(length - 1);
            }
        }
        if unknown < BYTES {
            let before = below(unknown) & !gaps;
            let begin = BYTES - before.leading_zeros() as usize;
            begins &= below(begin + 1);
            is_last = false;
        }
        Self { begins: begins & !1, end: is_last.then_some(length) }
    }
}

/// Which bytes of a block are of which class.
struct Sets {
    upper: u64,
    letters: u64,
    digits: u64,
    spaces: u64,
    newlines: u64,
    blanks: u64,
    apostrophes: u64,
    /// What a block ends before: all beyond ASCII, and a slash behind a newline, which signs before
    /// that would take along.
    stops: u64,
}

impl Sets {
    #[inline]
    fn new(bytes: &[u8; BYTES]) -> Self {
        let is = |byte: u8| move |bytes: u8x16| bytes.simd_eq(u8x16::splat(byte));
        let within = |bytes: u8x16, first: u8, count: u8| {
            (bytes - u8x16::splat(first)).simd_le(u8x16::splat(count - 1))
        };
        let newlines = set(bytes, |bytes| is(b'\n')(bytes) | is(b'\r')(bytes));
        let blanks = set(bytes, is(b' '));
        let others = set(bytes, |bytes| bytes.simd_ge(u8x16::splat(0x80)));
        Self {
            upper: set(bytes, |bytes| within(bytes, b'A', 26)),
            letters: set(bytes, |bytes| within(bytes | u8x16::splat(0x20), b'a', 26)),
            digits: set(bytes, |bytes| within(bytes, b'0', 10)),
            spaces: blanks | set(bytes, |bytes| within(bytes, b'\t', 5)),
            newlines,
            blanks,
            apostrophes: set(bytes, is(b'\'')),
            stops: others | set(bytes, is(b'/')) & newlines << 1,
        }
    }
}

/// The bytes for which `is_member` gives all ones.
#[inline]
fn set(bytes: &[u8; BYTES], is_member: impl Fn(u8x16) -> u8x16) -> u64 {
    let chunks = bytes.as_chunks::<16>().0.iter().zip([0, 16, 32, 48]);
    chunks.fold(0, |set, (chunk, shift)| {
        set | u64::from(is_member(u8x16::new(*chunk)).to_bitmask()) << shift
    })
}

/// The lowest bits, so many of them.
#[inline]
fn below(count: usize) -> u64 {
    if count >= BYTES { u64::MAX } else { (1 << count) - 1 }
}

/// Every third digit of a run, from the first.
#[inline]
fn thirds(digits: u64) -> u64 {
    let threes = digits & digits >> 1 & digits >> 2;
    let mut next = digits & !(digits << 1);
    let mut found = 0;
    while next != 0 {
        found |= next;
        next = (next & threes) << 3 & digits;
    }
    found
}

/// Moves the begins behind words to behind their contractions. `apostrophes` are those behind
/// letters.
#[inline]
fn contract(mut begins: u64, bytes: &[u8; BYTES], letters: u64, apostrophes: u64) -> u64 {
    let mut left = apostrophes & letters >> 1;
    // No word ends there, but a contraction: an apostrophe begins something new.
    let mut behind = BYTES;
    while left != 0 {
        let place = left.trailing_zeros() as usize;
        left &= left - 1;
        if place == behind {
            continue;
        }
        let is_letter = |place: usize| place < BYTES && letters >> place & 1 == 1;
        let second = if is_letter(place + 2) { bytes[place + 2] | 0x20 } else { 0 };
        let length = match (bytes[place + 1] | 0x20, second) {
            (b's' | b't' | b'm' | b'd', _) => 1,
            (b'r' | b'v', b'e') | (b'l', b'l') => 2,
            _ => continue,
        };
        behind = place + 1 + length;
        begins &= !(below(length + 1) << place);
        if is_letter(behind) {
            begins |= 1 << behind;
        }
    }
    begins
}
