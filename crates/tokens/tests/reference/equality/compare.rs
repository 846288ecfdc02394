//! One counter beside the reference.

use std::ops::AddAssign;

use bpe_openai::Tokenizer;
use memory_core::TokenCounter;
use tokens::BpeCounter;

/// A counter and what it must equal.
pub(crate) struct Pair {
    counter: BpeCounter,
    reference: &'static Tokenizer,
}

/// What was compared.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tried {
    pub(crate) texts: u64,
    pub(crate) bytes: u64,
    /// Tokens under the encodings, in the order of [`Pair::all`].
    pub(crate) tokens: [u64; 2],
    /// Texts that were also counted in parts.
    pub(crate) cut: u64,
}

impl Pair {
    pub(crate) fn all() -> [Self; 2] {
        [
            Self { counter: BpeCounter::o200k_base(), reference: bpe_openai::o200k_base() },
            Self { counter: BpeCounter::cl100k_base(), reference: bpe_openai::cl100k_base() },
        ]
    }

    /// Compares all counters with the reference; an error tells the shortest text that was found
    /// to differ.
    pub(crate) fn compare(pairs: &[Self; 2], text: &str) -> Result<Tried, String> {
        let mut tried = Tried { texts: 1, bytes: text.len() as u64, ..Tried::default() };
        for (pair, tokens) in pairs.iter().zip(&mut tried.tokens) {
            let (expected, parts) = pair.try_one(text).map_err(|_| pair.describe(text))?;
            *tokens = expected as u64;
            tried.cut = u64::from(parts > 1);
        }
        Ok(tried)
    }

    /// The tokens of the text and the parts that it can be cut into, or what differs.
    fn try_one(&self, text: &str) -> Result<(usize, usize), String> {
        let expected = self.reference.count(text);
        let count = |text: &str| self.counter.count(text).map_err(|error| error.to_string());
        let found = count(text)?;
        if found != expected {
            return Err(format!("{found} tokens instead of {expected}"));
        }
        let (mut rest, mut sum, mut parts) = (text, 0, 1);
        while let Some(cut) = self.counter.safe_cut(rest, 1) {
            let (part, after) = rest.split_at(cut);
            sum += count(part)?;
            rest = after;
            parts += 1;
        }
        sum += if parts > 1 { count(rest)? } else { expected };
        if sum != expected {
            return Err(format!("{sum} tokens in {parts} parts instead of {expected}"));
        }
        Ok((expected, parts))
    }

    fn describe(&self, text: &str) -> String {
        let shortest = shrink(text, |text| self.try_one(text).is_err());
        let id = self.counter.id();
        match self.try_one(&shortest) {
            Err(what) => format!("{id}: {what}: \"{}\"", shortest.escape_default()),
            Ok(_) => format!("{id}: differs in some runs only: \"{}\"", text.escape_default()),
        }
    }
}

impl AddAssign for Tried {
    fn add_assign(&mut self, other: Self) {
        self.texts += other.texts;
        self.bytes += other.bytes;
        self.tokens[0] += other.tokens[0];
        self.tokens[1] += other.tokens[1];
        self.cut += other.cut;
    }
}

/// Bytes that are tried again at most, so that a long text is told before long.
const SHRINK_BYTES: usize = 200_000_000;

/// Takes characters out as long as the text still fails.
fn shrink(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut left = SHRINK_BYTES;
    let mut characters: Vec<char> = text.chars().collect();
    let mut size = characters.len();
    while size > 0 {
        let mut place = 0;
        while place < characters.len() && left > 0 {
            left = left.saturating_sub(characters.len());
            let mut shorter = characters.clone();
            shorter.drain(place..(place + size).min(shorter.len()));
            if fails(&shorter.iter().collect::<String>()) {
                characters = shorter;
            } else {
                place += size;
            }
        }
        size /= 2;
    }
    characters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shrunk_to_what_fails() {
        let fails = |text: &str| text.contains('x') && text.contains("é");
        assert_eq!(shrink("abc x def é ghi x", fails), "éx");
        assert_eq!(shrink("xé", fails), "xé");
    }

    #[test]
    fn a_difference_is_told_with_its_encoding_and_an_escaped_text() {
        let [pair, other] = Pair::all();
        // The wrong reference stands for a wrong counter.
        let wrong = Pair { counter: pair.counter, reference: other.reference };
        let text = "some words before\n東京の天気\nand some behind";
        let error = Pair::compare(&[wrong, Pair { ..other }], text).unwrap_err();
        assert!(error.starts_with("o200k_base: "), "{error}");
        assert!(error.contains("\"\\u{") && error.is_ascii() && error.len() < 80, "{error}");
    }
}
