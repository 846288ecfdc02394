//! Which characters merging may begin with.

use std::collections::BTreeSet;

/// The characters of two or three bytes that are made before any merge with a neighbour.
///
/// A merge over the edge of a character that is not yet whole makes a token that holds a part of
/// it. Where all such tokens have a higher rank than the character, its own merges go first,
/// whatever stands around it; so merging begins with the character itself just as well.
///
/// This holds where each token is made of two of lower rank, as in every vocabulary that was
/// trained by merging: then the ranks of the merges that make a token never fall below those of its
/// parts.
pub(super) struct Characters {
    /// Bits of the characters by their numbers: behind ASCII, and behind others.
    whole: [Box<[u64]>; 2],
    /// What tokens so far begin with: the rest of some character.
    heads: BTreeSet<Box<[u8]>>,
    /// What tokens so far end with, behind something else: the begin of some character. Behind
    /// ASCII, and behind others.
    tails: [BTreeSet<Box<[u8]>>; 2],
}

/// Characters of at most three bytes.
const CHARACTERS: usize = 1 << 16;

impl Characters {
    pub(super) fn new() -> Self {
        let none = || vec![0; CHARACTERS / 64].into_boxed_slice();
        Self { whole: [none(), none()], heads: BTreeSet::new(), tails: Default::default() }
    }

    /// Learns the next token, after all of lower rank.
    pub(super) fn learn(&mut self, token: &[u8]) {
        if token.is_ascii() {
            // All its characters are whole, and of one byte.
            return;
        }
        match std::str::from_utf8(token) {
            Ok(text) => {
                let mut characters = text.chars();
                if let (Some(character), None) = (characters.next(), characters.next()) {
                    self.learn_character(character as usize, token);
                }
            }
            Err(_) => self.learn_broken(token),
        }
    }

    /// All tokens are known: what only learning needs is let go of.
    pub(super) fn have_learned(&mut self) {
        self.heads.clear();
        self.tails = Default::default();
    }

    fn learn_character(&mut self, number: usize, bytes: &[u8]) {
        if number >= CHARACTERS || (1..bytes.len()).any(|cut| self.heads.contains(&bytes[cut..])) {
            return;
        }
        let has_tail =
            |tails: &BTreeSet<Box<[u8]>>| (1..bytes.len()).any(|cut| tails.contains(&bytes[..cut]));
        let [behind_ascii, behind_others] = &mut self.whole;
        if !has_tail(&self.tails[1]) {
            behind_others[number / 64] |= 1 << (number % 64);
            if !has_tail(&self.tails[0]) {
                behind_ascii[number / 64] |= 1 << (number % 64);
            }
        }
    }

    fn learn_broken(&mut self, token: &[u8]) {
        let is_inner = |byte: &&u8| **byte & 0xc0 == 0x80;
        let head = token.iter().take_while(is_inner).count();
        for end in 1..=head.min(token.len() - 1) {
            self.heads.insert(token[..end].into());
        }
        let tail = token.iter().rev().take_while(is_inner).count() + 1;
        if tail < token.len() {
            let (before, tail) = token.split_at(token.len() - tail);
            let is_other = before.last().is_some_and(|byte| !byte.is_ascii());
            self.tails[usize::from(is_other)].insert(tail.into());
        }
    }

    /// How many bytes merging may begin with at `place`: those of the character, or one.
    #[inline]
    pub(super) fn length(&self, piece: &[u8], place: usize) -> usize {
        let bits = |byte: u8| usize::from(byte & 0x3f);
        let (number, length) = match piece[place..] {
            [first @ 0xc2..0xe0, second, ..] => (usize::from(first & 0x1f) << 6 | bits(second), 2),
            [first @ 0xe0..0xf0, second, third, ..] => {
                (usize::from(first & 0x0f) << 12 | bits(second) << 6 | bits(third), 3)
            }
            _ => return 1,
        };
        let is_behind_other = place == 0 || !piece[place - 1].is_ascii();
        let whole = &self.whole[usize::from(is_behind_other)];
        if whole[number / 64] >> (number % 64) & 1 == 1 { length } else { 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The characters of a vocabulary of bytes and these tokens.
    fn characters(tokens: &[&[u8]]) -> Characters {
        let mut characters = Characters::new();
        for token in tokens {
            characters.learn(token);
        }
        characters
    }

    #[test]
    fn merging_begins_with_characters_that_no_token_of_lower_rank_could_break() {
        let check = |tokens: &[&[u8]], piece: &str, expected: &[usize]| {
            let characters = characters(tokens);
            let mut lengths = Vec::new();
            let mut place = 0;
            while place < piece.len() {
                lengths.push(characters.length(piece.as_bytes(), place));
                place += lengths[lengths.len() - 1];
            }
            assert_eq!(lengths, expected, "{tokens:?}");
        };
        let (end, begin) = ("ж".as_bytes(), "я".as_bytes());
        check(&[], "жя", &[1, 1, 1, 1]);
        check(&[end], "жя", &[2, 1, 1]);
        check(&[end, begin], " жя", &[1, 2, 2]);
        // What breaks a character has a higher rank.
        check(&[end, b" \xd0"], " жж", &[1, 2, 2]);
        // A lower one, behind ASCII or anything else.
        check(&[b" \xd0", end], " жж", &[1, 1, 1, 2]);
        check(&[b"\xd1\x8f\xd0", end], "жж", &[1, 1, 1, 1]);
        check(&[b"\xb6\xd1", end], "жж", &[1, 1, 1, 1]);
        check(&["हि".as_bytes(), "ह".as_bytes()], "हह", &[3, 3]);
        check(&[b"a\xe0\xa4", "ह".as_bytes()], "ह!ह", &[3, 1, 1, 1, 1]);
        check(&[b"\xa4\xb9!", "ह".as_bytes()], "ह", &[1, 1, 1]);
    }
}
