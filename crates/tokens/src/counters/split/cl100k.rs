//! The pattern of `cl100k_base`.

use super::classes::{LETTER, NEWLINE, NUMBER};
use super::text::{Pattern, Text};

/// ```text
/// (?i:'s|'t|'re|'ve|'m|'ll|'d)
/// [^\r\n\p{L}\p{N}]?\p{L}+
/// \p{N}{1,3}
///  ?[^\s\p{L}\p{N}]+[\r\n]*
/// \s*[\r\n]+
/// \s+(?!\S)
/// \s+
/// ```
#[derive(Debug)]
pub(in crate::counters) struct Cl100k;

impl Pattern for Cl100k {
    #[inline]
    fn end(text: &Text<'_>, start: usize) -> usize {
        if let Some(end) = text.contraction(start) {
            return end;
        }
        let Some((class, length)) = text.at(start) else { return start };
        if class & (LETTER | NUMBER | NEWLINE) == 0 || class & LETTER != 0 {
            let first = start + length;
            let end = text.pass(first, LETTER);
            if end > first || class & LETTER != 0 {
                return end;
            }
        }
        if class & NUMBER != 0 {
            return text.number(start);
        }
        text.signs(start, b"\r\n").unwrap_or_else(|| text.spaces(start))
    }
}
