//! The pattern of `o200k_base`.

use super::block::Block;
use super::classes::{CASELESS, LETTER, LOWER, MARK, NEWLINE, NUMBER, UPPER};
use super::text::{Pattern, Text};

/// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`.
const UPPERISH: u8 = UPPER | CASELESS | MARK;
/// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`.
const LOWERISH: u8 = LOWER | CASELESS | MARK;

/// With `UPPERISH` as `U` and `LOWERISH` as `L`:
///
/// ```text
/// [^\r\n\p{L}\p{N}]?U*L+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// [^\r\n\p{L}\p{N}]?U+L*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
/// \p{N}{1,3}
///  ?[^\s\p{L}\p{N}]+[\r\n/]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
#[derive(Debug)]
pub(in crate::counters) struct O200k;

impl Pattern for O200k {
    #[inline]
    fn end(text: &Text<'_>, start: usize) -> usize {
        let Some((class, length)) = text.at(start) else { return start };
        // A mark can stand before a word, and be its first character.
        let behind = (class & (LETTER | NUMBER | NEWLINE) == 0).then_some(start + length);
        let here = (class & (LETTER | MARK) != 0).then_some(start);
        let word = behind
            .and_then(|start| lower_word(text, start))
            .or_else(|| lower_word(text, here?))
            .or_else(|| upper_word(text, behind?))
            .or_else(|| upper_word(text, here?));
        if let Some(end) = word {
            return text.contraction(end).unwrap_or(end);
        }
        if class & NUMBER != 0 {
            return text.number(start);
        }
        text.signs(start, b"\r\n/").unwrap_or_else(|| text.spaces(start))
    }

    #[inline]
    fn split(text: &Text<'_>, mut see: impl FnMut(usize, usize)) {
        let mut start = 0;
        while start < text.bytes.len() {
            let begin = start;
            if let Some(block) = Block::at(&text.bytes[begin..]) {
                block.ends().for_each(|end| {
                    see(start, begin + end);
                    start = begin + end;
                });
            }
            // Other scripts, and what the block could not see the end of.
            if start == begin {
                let end = Self::end(text, start);
                see(start, end);
                start = end;
            }
        }
    }
}

/// The end of `U*L+`.
#[inline]
fn lower_word(text: &Text<'_>, start: usize) -> Option<usize> {
    let (mut place, mut last_of_both) = (start, None);
    while let Some((class, length)) = text.at(place)
        && class & UPPERISH != 0
    {
        if class & LOWERISH != 0 {
            last_of_both = Some(place);
        }
        place += length;
    }
    let end = text.pass(place, LOWERISH);
    if end > place {
        return Some(end);
    }
    // `U*` gives back characters until one of them is an `L` too.
    last_of_both.map(|place| text.pass(place, LOWERISH))
}

/// The end of `U+L*`.
#[inline]
fn upper_word(text: &Text<'_>, start: usize) -> Option<usize> {
    let end = text.pass(start, UPPERISH);
    (end > start).then(|| text.pass(end, LOWERISH))
}
