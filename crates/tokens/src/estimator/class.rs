//! Classes of bytes.

/// ASCII and control bytes, by what a tokenizer's pattern does with them.
pub(crate) const LOWER: u8 = 0;
pub(crate) const UPPER: u8 = 1;
pub(crate) const DIGIT: u8 = 2;
pub(crate) const SPACE: u8 = 3;
pub(crate) const NEWLINE: u8 = 4;
pub(crate) const TAB: u8 = 5;
pub(crate) const APOSTROPHE: u8 = 6;
/// `.` `,` `;` `:` `!` `?`
pub(crate) const STOP: u8 = 7;
/// Quotes and brackets.
pub(crate) const BRACKET: u8 = 8;
pub(crate) const SYMBOL: u8 = 9;
pub(crate) const CONTROL: u8 = 10;
/// The second and later bytes of a character.
pub(crate) const CONTINUATION: u8 = 11;
/// The first of the classes that are first bytes of a character beyond ASCII; each stands for the
/// scripts that begin with it.
pub(crate) const FIRST_SCRIPT: u8 = 12;

/// Latin with marks, Greek, Cyrillic, Armenian and Hebrew, Arabic, Indic and Thai, further
/// alphabets and Vietnamese, punctuation and arrows, kana, Han, Hangul, forms and variation
/// selectors, and what lies beyond the basic plane.
pub(crate) const SCRIPTS: usize = 13;

/// The class of a byte.
pub(crate) fn class_of(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => LOWER,
        b'A'..=b'Z' => UPPER,
        b'0'..=b'9' => DIGIT,
        b' ' => SPACE,
        b'\n' | b'\r' => NEWLINE,
        b'\t' | 0x0b | 0x0c => TAB,
        b'\'' => APOSTROPHE,
        b'.' | b',' | b';' | b':' | b'!' | b'?' => STOP,
        b'"' | b'`' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' => BRACKET,
        b'!'..=b'~' => SYMBOL,
        0x00..=0x1f | 0x7f => CONTROL,
        0x80..=0xbf => CONTINUATION,
        0xc0..=0xcc => FIRST_SCRIPT,
        0xcd..=0xcf => FIRST_SCRIPT + 1,
        0xd0..=0xd3 => FIRST_SCRIPT + 2,
        0xd4..=0xd7 => FIRST_SCRIPT + 3,
        0xd8..=0xdf => FIRST_SCRIPT + 4,
        0xe0 => FIRST_SCRIPT + 5,
        0xe1 => FIRST_SCRIPT + 6,
        0xe2 => FIRST_SCRIPT + 7,
        0xe3 => FIRST_SCRIPT + 8,
        0xe4..=0xe9 => FIRST_SCRIPT + 9,
        0xea..=0xed => FIRST_SCRIPT + 10,
        0xee..=0xef => FIRST_SCRIPT + 11,
        0xf0..=0xff => FIRST_SCRIPT + 12,
    }
}
