//! What is stored of a message beside its payload: class, fingerprint and tallies as one text.
//!
//! `uabcdefghAbCx12` is a user message with the fingerprint `abcdefgh` and one tally, 12 tokens
//! counted exactly by the counter with the code `AbC`. Tallies of further counters follow.

use std::fmt;
use std::io::Write as _;

use memory_core::{Fingerprint, MessageClass, Tally, TallyState};

use crate::damage::Damage;

/// Stands for a counter in tallies and in the names of sums: three letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Code([u8; 3]);

impl Code {
    pub(crate) const LENGTH: usize = 3;

    /// A code of random or hashed bits.
    pub(crate) fn from_bits(bits: u32) -> Self {
        const LETTERS: &[u8; 52] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let letter = |divisor: u32| LETTERS[(bits / divisor % 52) as usize];
        Self([letter(1), letter(52), letter(52 * 52)])
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let code: [u8; 3] = bytes.try_into().ok()?;
        code.iter().all(u8::is_ascii_alphabetic).then_some(Self(code))
    }

    pub(crate) fn bytes(self) -> [u8; Self::LENGTH] {
        self.0
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("its letters are ASCII")
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stored element, checked, with its tallies read when they are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) class: MessageClass,
    pub(crate) fingerprint: Fingerprint,
    tallies: &'a str,
}

impl<'a> Element<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Damage> {
        Self::read(bytes).ok_or(Damage("a message's tallies cannot be read"))
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (class, rest) = bytes.split_first()?;
        let (fingerprint, tallies) = rest.split_at_checked(Fingerprint::LENGTH)?;
        let fingerprint = Fingerprint::parse(std::str::from_utf8(fingerprint).ok()?).ok()?;
        let tallies = std::str::from_utf8(tallies).ok()?;
        let mut rest = tallies;
        while !rest.is_empty() {
            rest = first_tally(rest)?.2;
        }
        Some(Self { class: MessageClass::from_letter(*class)?, fingerprint, tallies })
    }

    pub(crate) fn tallies(&self) -> impl Iterator<Item = (Code, Tally)> + use<'a> {
        let mut rest = self.tallies;
        std::iter::from_fn(move || {
            let (code, tally, behind) = first_tally(rest)?;
            rest = behind;
            Some((code, tally))
        })
    }

    pub(crate) fn tally(&self, code: Option<Code>) -> Option<Tally> {
        let code = code?;
        self.tallies().find(|(found, _)| *found == code).map(|(_, tally)| tally)
    }

    /// The least that the message costs, or half of what other counters say of it.
    pub(crate) fn lower_bound(&self, code: Option<Code>) -> u64 {
        let elsewhere = || self.tallies().map(|(_, tally)| tally.tokens / 2).max();
        self.tally(code).map(Tally::lower_bound).or_else(elsewhere).unwrap_or(0)
    }
}

/// Bytes of the [`beginning`] of an element.
pub(crate) const BEGINNING: usize = 1 + Fingerprint::LENGTH;

/// Class and fingerprint as an element begins.
pub(crate) fn beginning(class: MessageClass, fingerprint: Fingerprint) -> [u8; BEGINNING] {
    let mut element = [class.letter(); BEGINNING];
    element[1..].copy_from_slice(fingerprint.as_str().as_bytes());
    element
}

/// Writes an element with one tally.
pub(crate) fn write_element(
    element: &mut Vec<u8>,
    beginning: &[u8; BEGINNING],
    code: Code,
    tally: Tally,
) {
    element.extend_from_slice(beginning);
    element.extend_from_slice(&code.bytes());
    element.push(tally.state.letter());
    // A vector takes all that is written to it.
    let _ = write!(element, "{}", tally.tokens);
}

/// A tally as it stands behind a code.
pub(crate) fn tally_text(tally: Tally) -> String {
    format!("{}{}", char::from(tally.state.letter()), tally.tokens)
}

fn first_tally(text: &str) -> Option<(Code, Tally, &str)> {
    let (code, rest) = text.split_at_checked(Code::LENGTH)?;
    let (state, rest) = rest.split_at_checked(1)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (tokens, rest) = rest.split_at(digits);
    let state = TallyState::from_letter(state.as_bytes()[0])?;
    Some((Code::parse(code.as_bytes())?, Tally { tokens: tokens.parse().ok()?, state }, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_tally() -> impl Strategy<Value = Tally> {
        let state = prop::sample::select(b"exmbf".to_vec());
        (any::<u64>(), state).prop_map(|(tokens, letter)| Tally {
            tokens,
            state: TallyState::from_letter(letter).unwrap(),
        })
    }

    proptest! {
        #[test]
        fn elements_survive_their_text(
            class in prop::sample::select(b"iuacro".to_vec()),
            bits: u128,
            tallies in prop::collection::vec((any::<u32>(), any_tally()), 0..9),
        ) {
            let class = MessageClass::from_letter(class).unwrap();
            let fingerprint = Fingerprint::from_random(bits);
            let mut bytes = beginning(class, fingerprint).to_vec();
            let tallies: Vec<_> =
                tallies.into_iter().map(|(bits, tally)| (Code::from_bits(bits), tally)).collect();
            for (code, tally) in &tallies {
                bytes.extend_from_slice(code.as_str().as_bytes());
                bytes.extend_from_slice(tally_text(*tally).as_bytes());
            }
            let read = Element::parse(&bytes).unwrap();
            prop_assert_eq!(read.class, class);
            prop_assert_eq!(read.fingerprint, fingerprint);
            prop_assert_eq!(read.tallies().collect::<Vec<_>>(), tallies);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = Element::parse(&bytes);
        }

        #[test]
        fn no_text_makes_reading_panic(text in "[iu]abcdefgh[A-Ca-cxé0-9]{0,12}") {
            let _ = Element::parse(text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_element_is_damage() {
        for text in ["", "u", "uabcdefg", "zabcdefgh", "uabcdefghAbCx", "uabcdefghAb1x1"] {
            assert!(Element::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
