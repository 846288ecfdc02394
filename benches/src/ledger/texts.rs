//! Texts to append: English-like, the same in every run, and never the same twice in one.

use std::fmt::Write as _;

use memory_core::Message;

/// Common words, the most common first.
const WORDS: &str = "the of and to a in is that for it as was with be by on not he this are or his \
    from at which but have an had they you were their one all we can her has there been if more \
    when will would who so no she other its may these what them than some him time into only do \
    such my new about out also two any up first could our then most see me should after said your \
    very between made many over did now people must before through back years where much way well \
    down because long each just those state too good make world still own work think life never \
    same last while might great go come since against right came take used three small place found \
    number part house however public water course system without again school different always \
    night request message window budget answer question ferry harbour ticket flight booking \
    customer balance account payment refund airport schedule weather morning passenger luggage";

/// What rarer words are made of.
const SYLLABLES: [&str; 24] = [
    "ka", "lo", "mir", "ten", "sol", "ver", "qui", "pra", "nex", "tor", "bel", "sha", "ul", "gri",
    "don", "fe", "wym", "ost", "chi", "ran", "zel", "por", "ist", "ing",
];

/// Makes texts from a seed.
#[derive(Debug)]
pub(crate) struct Texts {
    state: u64,
    words: Vec<&'static str>,
}

impl Texts {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed | 1, words: WORDS.split_whitespace().collect() }
    }

    /// A text of exactly so many bytes.
    pub(crate) fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 32);
        while text.len() < bytes {
            self.sentence(&mut text);
        }
        // Every character is one byte, so this cuts between two of them.
        text.truncate(bytes);
        text
    }

    /// User messages with texts of so many bytes.
    pub(crate) fn messages(&mut self, count: usize, bytes: usize) -> Vec<Message> {
        (0..count).map(|_| Message::user(self.text(bytes))).collect()
    }

    fn sentence(&mut self, text: &mut String) {
        let begin = text.len();
        for place in 0..5 + self.below(14) {
            if place > 0 {
                text.push_str(if self.below(12) == 0 { ", " } else { " " });
            }
            match self.below(40) {
                0 => text.push_str(&self.below(100_000).to_string()),
                1 => {
                    let (left, right) = (self.word(), self.word());
                    let _ = write!(text, "`{left}_{right}()`");
                }
                2..=5 => {
                    for _ in 0..2 + self.below(3) {
                        text.push_str(SYLLABLES[self.below(SYLLABLES.len())]);
                    }
                }
                _ => text.push_str(self.word()),
            }
        }
        if let Some(first) = text.get_mut(begin..=begin) {
            first.make_ascii_uppercase();
        }
        text.push_str(if self.below(6) == 0 { ".\n\n" } else { ". " });
    }

    /// A word, the earlier in the list the more often.
    fn word(&mut self) -> &'static str {
        let bound = 1 + self.below(self.words.len());
        let place = self.below(bound);
        self.words[place]
    }

    /// A number below `bound`, by a linear congruential generator's high bits.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.state >> 33) as usize % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_and_do_not_repeat() {
        let mut texts = Texts::new(1);
        let made: Vec<_> = (0..50).map(|_| texts.text(200)).collect();
        assert!(made.iter().all(|text| text.len() == 200 && text.is_ascii()));
        let different: std::collections::HashSet<_> = made.iter().collect();
        assert_eq!(different.len(), 50);
        assert_eq!(Texts::new(1).text(200), made[0]);
        assert_ne!(Texts::new(3).text(200), made[0]);
    }
}
