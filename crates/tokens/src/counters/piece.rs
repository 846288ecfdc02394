//! A short piece of text as a few words, to be compared and hashed.

/// The longest piece that the short entries hold.
pub(super) const SHORT: usize = 14;
/// The longest piece that the long entries hold.
pub(super) const LONG: usize = 30;
/// The longest piece that is kept.
pub(super) const LONGEST: usize = 62;

/// A piece, with its count where that is known: the bytes, zeros behind them, then the length and
/// the count, a byte each.
///
/// No stored length is zero, so an entry of zeros is an empty one.
pub(super) type Entry<const WORDS: usize> = [u64; WORDS];

/// How far the length stands from the right in the last word.
const LENGTH_SHIFT: u32 = 48;
/// How far the count does.
const COUNT_SHIFT: u32 = 56;

/// The entry of a piece, without its count.
#[inline]
pub(super) fn key<const WORDS: usize, const BYTES: usize>(
    text: &[u8],
    start: usize,
    length: usize,
) -> Entry<WORDS> {
    let mut words = [0; WORDS];
    if let Some(window) = text.get(start..start + BYTES) {
        for (word, bytes) in words.iter_mut().zip(window.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        // What stands behind the piece does not belong to it.
        for (place, word) in words.iter_mut().enumerate() {
            let own = length.saturating_sub(8 * place).min(8);
            *word &= MASKS[own];
        }
    } else {
        let mut bytes = [0; BYTES];
        bytes[..length].copy_from_slice(&text[start..start + length]);
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
    }
    words[WORDS - 1] |= (length as u64) << LENGTH_SHIFT;
    words
}

/// What keeps so many bytes of a word.
const MASKS: [u64; 9] = {
    let mut masks = [u64::MAX; 9];
    let mut bytes = 0;
    while bytes < 8 {
        masks[bytes] = (1 << (8 * bytes)) - 1;
        bytes += 1;
    }
    masks
};

/// The entry with a count, which is at most that of the bytes.
pub(super) const fn with_count<const WORDS: usize>(
    mut key: Entry<WORDS>,
    count: usize,
) -> Entry<WORDS> {
    key[WORDS - 1] |= (count as u64) << COUNT_SHIFT;
    key
}

/// The count of an entry that has one.
#[inline]
pub(super) const fn count<const WORDS: usize>(entry: &Entry<WORDS>) -> usize {
    (entry[WORDS - 1] >> COUNT_SHIFT) as usize
}

/// Whether two entries are of the same piece.
#[inline]
pub(super) fn is_same<const WORDS: usize>(entry: &Entry<WORDS>, key: &Entry<WORDS>) -> bool {
    let (last, others) = (WORDS - 1, 0..WORDS - 1);
    let rest = (1 << COUNT_SHIFT) - 1;
    let others = others.fold(0, |differs, word| differs | (entry[word] ^ key[word]));
    others | (entry[last] ^ key[last]) & rest == 0
}

/// The hash of an entry without its count: each bit of it has had a say in the upper bits.
#[inline]
pub(super) fn hash<const WORDS: usize>(key: &Entry<WORDS>) -> u64 {
    // Odd numbers without a pattern: the golden ratio, and primes of xxHash.
    const FACTORS: [u64; 4] = [
        0x9e37_79b9_7f4a_7c15,
        0xc2b2_ae3d_27d4_eb4f,
        0x1656_67b1_9e37_79f9,
        0x27d4_eb2f_1656_67c5,
    ];
    key.iter()
        .zip(FACTORS.into_iter().cycle())
        .fold(0_u64, |mixed, (word, factor)| (mixed.rotate_left(29) ^ word).wrapping_mul(factor))
}
