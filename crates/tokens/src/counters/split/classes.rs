//! Which class a character belongs to, as the patterns of the encodings name them.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// `\p{Lu}` and `\p{Lt}`.
pub(super) const UPPER: u8 = 1;
/// `\p{Ll}`.
pub(super) const LOWER: u8 = 1 << 1;
/// `\p{Lm}` and `\p{Lo}`: letters without case.
pub(super) const CASELESS: u8 = 1 << 2;
/// `\p{M}`.
pub(super) const MARK: u8 = 1 << 3;
/// `\p{N}`.
pub(super) const NUMBER: u8 = 1 << 4;
/// `\s`.
pub(super) const SPACE: u8 = 1 << 5;
/// `[\r\n]`, which are of the class [`SPACE`] as well.
pub(super) const NEWLINE: u8 = 1 << 6;

/// `\p{L}`.
pub(super) const LETTER: u8 = UPPER | LOWER | CASELESS;

const PATTERNS: [(&str, u8); 7] = [
    (r"[\p{Lu}\p{Lt}]", UPPER),
    (r"\p{Ll}", LOWER),
    (r"[\p{Lm}\p{Lo}]", CASELESS),
    (r"\p{M}", MARK),
    (r"\p{N}", NUMBER),
    (r"\s", SPACE),
    (r"[\r\n]", NEWLINE),
];

/// The characters of at most two bytes.
const TWO_BYTES: usize = 1 << 11;
const PAGE: usize = 256;
const PAGES: usize = (char::MAX as usize + 1) / PAGE;

/// The classes of all characters.
///
/// They are those of the library whose regular expressions define the splits of the reference, so
/// that both know the same version of Unicode.
#[derive(Debug)]
pub(super) struct Classes {
    ascii: [u8; 128],
    /// The characters of two bytes, by their numbers.
    two_bytes: Box<[u8; TWO_BYTES]>,
    /// Which of `pages` has a page of 256 characters; most are alike.
    index: Box<[u16; PAGES]>,
    pages: Vec<[u8; PAGE]>,
}

impl Classes {
    /// The table, which is made on first use.
    pub(super) fn get() -> &'static Self {
        static CLASSES: LazyLock<Classes> = LazyLock::new(Classes::new);
        &CLASSES
    }

    fn new() -> Self {
        let mut flat = vec![[0; PAGE]; PAGES];
        for (pattern, class) in PATTERNS {
            for (first, last) in ranges(pattern) {
                for character in first..=last {
                    flat[character / PAGE][character % PAGE] |= class;
                }
            }
        }
        let mut pages: Vec<[u8; PAGE]> = Vec::new();
        let mut index = Box::new([0; PAGES]);
        for (page, place) in flat.iter().zip(index.iter_mut()) {
            let found = pages.iter().position(|known| known == page);
            let found = found.unwrap_or_else(|| {
                pages.push(*page);
                pages.len() - 1
            });
            *place = u16::try_from(found).expect("there are at most 4352 pages");
        }
        let mut ascii = [0; 128];
        ascii.copy_from_slice(&flat[0][..128]);
        let mut two_bytes = Box::new([0; TWO_BYTES]);
        two_bytes.copy_from_slice(flat[..TWO_BYTES / PAGE].as_flattened());
        Self { ascii, two_bytes, index, pages }
    }

    /// The class of the character that begins at `place`, and its length in bytes. `text` is UTF-8.
    #[inline]
    pub(super) fn at(&self, text: &[u8], place: usize) -> Option<(u8, usize)> {
        let first = *text.get(place)?;
        if let Some(class) = self.ascii.get(usize::from(first)) {
            return Some((*class, 1));
        }
        let second = *text.get(place + 1)?;
        let upper = usize::from(first & 0x1f) << 6 | usize::from(second & 0x3f);
        if first < 0xe0 {
            return Some((self.two_bytes[upper], 2));
        }
        let third = usize::from(*text.get(place + 2)? & 0x3f);
        if first < 0xf0 {
            return Some((self.class((upper << 6 | third) & 0xffff), 3));
        }
        Some((self.four_bytes(&text[place..]), 4))
    }

    #[inline]
    fn class(&self, character: usize) -> u8 {
        self.pages[usize::from(self.index[character / PAGE])][character % PAGE]
    }

    /// Not inlined, so that the way of all others stays short.
    #[inline(never)]
    fn four_bytes(&self, text: &[u8]) -> u8 {
        let bits = |place: usize, mask: u8| usize::from(text[place] & mask);
        self.class(bits(0, 0x07) << 18 | bits(1, 0x3f) << 12 | bits(2, 0x3f) << 6 | bits(3, 0x3f))
    }
}

/// The first and last character of each range of a class.
fn ranges(pattern: &str) -> Vec<(usize, usize)> {
    let parsed = regex_syntax::parse(pattern).expect("the pattern is one of the constants");
    let HirKind::Class(Class::Unicode(class)) = parsed.into_kind() else {
        unreachable!("the pattern is a class");
    };
    class.iter().map(|range| (range.start() as usize, range.end() as usize)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_the_class_that_the_patterns_say() {
        let classes = Classes::get();
        let mut expected = vec![0_u8; char::MAX as usize + 1];
        for (pattern, class) in PATTERNS {
            for (first, last) in ranges(pattern) {
                expected[first..=last].iter_mut().for_each(|found| *found |= class);
            }
        }
        let mut buffer = [0; 4];
        for character in '\0'..=char::MAX {
            let text = character.encode_utf8(&mut buffer).as_bytes();
            let found = classes.at(text, 0);
            assert_eq!(found, Some((expected[character as usize], text.len())), "{character:?}");
        }
        assert_eq!(classes.at(b"a", 1), None);
    }

    #[test]
    fn the_classes_are_what_their_names_say() {
        let check = |text: &str, expected: u8| {
            assert_eq!(Classes::get().at(text.as_bytes(), 0), Some((expected, text.len())));
        };
        check("A", UPPER);
        check("ǅ", UPPER);
        check("ſ", LOWER);
        check("あ", CASELESS);
        check("\u{301}", MARK);
        check("½", NUMBER);
        check("\u{3000}", SPACE);
        check("\r", SPACE | NEWLINE);
        check("\u{85}", SPACE);
        check("'", 0);
        check("👍", 0);
    }
}
