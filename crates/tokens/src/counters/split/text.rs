//! Text that is split, and what both patterns have in common.

use super::classes::{Classes, LETTER, NEWLINE, NUMBER, SPACE};

/// A pattern that says where pieces end.
pub(in crate::counters) trait Pattern {
    /// The end of the piece that begins at `start`, which is before the end of the text.
    fn end(text: &Text<'_>, start: usize) -> usize;

    /// Calls `see` with the start and the end of each piece, in order.
    #[inline]
    fn split(text: &Text<'_>, mut see: impl FnMut(usize, usize)) {
        let mut start = 0;
        while start < text.bytes.len() {
            let end = Self::end(text, start);
            see(start, end);
            start = end;
        }
    }
}

/// UTF-8 text with the classes of its characters.
#[derive(Debug, Clone, Copy)]
pub(in crate::counters) struct Text<'a> {
    pub(in crate::counters) bytes: &'a [u8],
    classes: &'static Classes,
}

impl<'a> Text<'a> {
    pub(in crate::counters) fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), classes: Classes::get() }
    }

    /// The class and the length of the character at `place`; none behind the last.
    #[inline]
    pub(super) fn at(&self, place: usize) -> Option<(u8, usize)> {
        self.classes.at(self.bytes, place)
    }

    /// Where characters of these classes end.
    #[inline]
    pub(super) fn pass(&self, mut place: usize, classes: u8) -> usize {
        while let Some((class, length)) = self.at(place)
            && class & classes != 0
        {
            place += length;
        }
        place
    }

    /// Where characters of no such class end.
    #[inline]
    fn pass_others(&self, mut place: usize, classes: u8) -> usize {
        while let Some((class, length)) = self.at(place)
            && class & classes == 0
        {
            place += length;
        }
        place
    }

    /// The end of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at `place`.
    #[inline]
    pub(super) fn contraction(&self, place: usize) -> Option<usize> {
        let [b'\'', rest @ ..] = self.bytes.get(place..)? else { return None };
        let lower = |place: usize| rest.get(place).map(u8::to_ascii_lowercase);
        let length = match (lower(0)?, lower(1)) {
            (b's' | b't' | b'm' | b'd', _) => 1,
            (b'r' | b'v', Some(b'e')) | (b'l', Some(b'l')) => 2,
            // The long s, U+017F, is an s in another case.
            _ if rest.starts_with("\u{17f}".as_bytes()) => 2,
            _ => return None,
        };
        Some(place + 1 + length)
    }

    /// The end of `\p{N}{1,3}` at `place`.
    #[inline]
    pub(super) fn number(&self, mut place: usize) -> usize {
        for _ in 0..3 {
            match self.at(place) {
                Some((class, length)) if class & NUMBER != 0 => place += length,
                _ => break,
            }
        }
        place
    }

    /// The end of ` ?[^\s\p{L}\p{N}]+` at `start`, with what follows of `after`.
    #[inline]
    pub(super) fn signs(&self, start: usize, after: &[u8]) -> Option<usize> {
        let first = start + usize::from(self.bytes.get(start) == Some(&b' '));
        let end = self.pass_others(first, SPACE | LETTER | NUMBER);
        if end == first {
            return None;
        }
        let follow = self.bytes[end..].iter().take_while(|byte| after.contains(byte)).count();
        Some(end + follow)
    }

    /// The end of `\s*[\r\n]+|\s+$|\s+(?!\S)|\s+` at `start`, where a space stands.
    #[inline]
    pub(super) fn spaces(&self, start: usize) -> usize {
        let (mut end, mut last, mut behind_newline) = (start, start, None);
        while let Some((class, length)) = self.at(end)
            && class & SPACE != 0
        {
            last = end;
            end += length;
            if class & NEWLINE != 0 {
                behind_newline = Some(end);
            }
        }
        match behind_newline {
            Some(end) => end,
            // The last space belongs to what follows, unless it is the only one.
            None if end < self.bytes.len() && last > start => last,
            None => end,
        }
    }
}
