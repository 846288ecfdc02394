//! The encodings, and how their tokens are counted.

use std::sync::LazyLock;

use bpe_openai::Tokenizer;

use super::cache::Caches;
use super::seams::Seams;
use super::split::{Cl100k, O200k, Pattern, Text};
use super::vocabulary::Vocabulary;
use crate::error::UnknownCounter;

/// An encoding whose vocabulary this crate ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    O200kBase,
    /// Differs from `o200k_base` in its special tokens only, which no text has.
    O200kHarmony,
    Cl100kBase,
}

impl Encoding {
    pub(crate) const ALL: [Self; 3] = [Self::O200kBase, Self::O200kHarmony, Self::Cl100kBase];
    pub(crate) const NAMES: &'static [&'static str] =
        &[Self::O200kBase.name(), Self::O200kHarmony.name(), Self::Cl100kBase.name()];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
            Self::Cl100kBase => "cl100k_base",
        }
    }

    pub(super) fn by_name(name: &str) -> Result<Self, UnknownCounter> {
        let found = Self::ALL.into_iter().find(|encoding| encoding.name() == name);
        found.ok_or_else(|| UnknownCounter::new(name, Self::NAMES.iter().copied(), []))
    }

    /// Counts the tokens of `text`, all of it as ordinary text.
    ///
    /// The first call for an encoding, on any thread, reads its vocabulary, which takes some tens
    /// of milliseconds; calls on other threads wait for it.
    pub(super) fn count(self, text: &str) -> usize {
        match self {
            Self::O200kBase | Self::O200kHarmony => self.counting().count::<O200k>(text),
            Self::Cl100kBase => self.counting().count::<Cl100k>(text),
        }
    }

    fn counting(self) -> &'static Counting {
        static O200K: LazyLock<Counting> =
            LazyLock::new(|| Counting::new(bpe_openai::o200k_base()));
        static CL100K: LazyLock<Counting> =
            LazyLock::new(|| Counting::new(bpe_openai::cl100k_base()));
        match self {
            Self::O200kBase | Self::O200kHarmony => &O200K,
            Self::Cl100kBase => &CL100K,
        }
    }
}

/// What counting under an encoding takes, shared by all threads.
struct Counting {
    vocabulary: Vocabulary,
    seams: Seams,
    caches: Caches,
}

impl Counting {
    fn new(tokenizer: &'static Tokenizer) -> Self {
        let bpe = &tokenizer.bpe;
        Self { vocabulary: Vocabulary::new(bpe), seams: Seams::new(bpe), caches: Caches::new() }
    }

    /// The sum of the pieces' counts.
    fn count<P: Pattern>(&self, text: &str) -> usize {
        let text = Text::new(text);
        self.caches.with(|cache| {
            if let Some(cache) = cache {
                let mut counting = cache.count(text.bytes, &self.vocabulary, &self.seams);
                P::split(&text, |start, end| counting.add(start, end));
                counting.total()
            } else {
                let mut tokens = 0;
                P::split(&text, |start, end| {
                    tokens += self.vocabulary.count(text.bytes, start, end);
                });
                tokens
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of one to 40 letters, so many that some take the places of others in the caches.
    fn words(count: usize) -> Vec<String> {
        let mut state = 7_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) % below
        };
        let letters: Vec<char> = "aaeeinorst'".chars().collect();
        let word = |_| (0..=next(40)).map(|_| letters[next(11) as usize]).collect();
        (0..count).map(word).collect()
    }

    /// Lends all caches to this thread, one inside the other, and then does `work`.
    fn lend_all(counting: &Counting, work: &dyn Fn()) {
        counting.caches.with(|cache| match cache {
            Some(_) => lend_all(counting, work),
            None => work(),
        });
    }

    #[test]
    fn a_count_is_that_of_the_reference_whatever_the_caches_hold() {
        let words = words(60_000);
        for _ in 0..2 {
            for words in words.chunks(100) {
                let text = words.join(" ");
                let expected = bpe_openai::o200k_base().count(text.as_str());
                assert_eq!(Encoding::O200kBase.count(&text), expected, "{text}");
                let expected = bpe_openai::cl100k_base().count(text.as_str());
                assert_eq!(Encoding::Cl100kBase.count(&text), expected, "{text}");
            }
        }
    }

    #[test]
    fn pieces_that_differ_at_their_ends_only_are_told_apart() {
        // Zeros fill up what a piece leaves of its words.
        let zeros = ["!", "!\0", "!\0\0", "\0", "\0\0"].map(ToOwned::to_owned);
        // The longest of each size of entries, and those beyond.
        let words = [13, 14, 15, 16, 29, 30, 31, 32, 61, 62, 63, 64, 65]
            .map(|length| "zq".repeat(length)[..length].to_owned());
        for piece in zeros.iter().chain(&words) {
            for text in [piece.clone(), format!("{piece} and so on, for more than 32 bytes")] {
                let expected = bpe_openai::o200k_base().count(text.as_str());
                for _ in 0..2 {
                    assert_eq!(Encoding::O200kBase.count(&text), expected, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn hostile_texts_are_counted_as_the_reference_does() {
        let mut state = 11_u32;
        let mut next = |first: u32, count: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(first + (state >> 8) % count).unwrap_or(' ')
        };
        let mut random = |first: char, count: u32, bytes: usize| -> String {
            let characters = bytes / first.len_utf8();
            (0..characters).map(|_| next(u32::from(first), count)).collect()
        };
        let mut check = |bytes: usize, encoding: Encoding, reference: &Tokenizer| {
            let repeated = |piece: &str| piece.repeat(bytes / piece.len());
            let texts = [
                repeated("a"),
                repeated(" "),
                repeated("\n"),
                repeated("\t"),
                repeated("\t "),
                repeated("ab"),
                repeated("👩\u{200d}👩\u{200d}👧\u{200d}"),
                repeated("'s"),
                random('0', 10, bytes),
                random('a', 26, bytes),
                random('!', 94, bytes),
                random('\u{300}', 0x70, bytes),
                random('\u{4e00}', 0x5200, bytes),
                random('\u{ac00}', 0x2ba4, bytes),
            ];
            for text in texts {
                let begin: String = text.chars().take(20).collect();
                assert_eq!(encoding.count(&text), reference.count(text.as_str()), "{begin:?}");
            }
        };
        check(1_000_000, Encoding::O200kBase, bpe_openai::o200k_base());
        check(100_000, Encoding::Cl100kBase, bpe_openai::cl100k_base());
    }

    #[test]
    fn threads_without_a_cache_count_alike() {
        let counting = Encoding::O200kBase.counting();
        let text = "Without a cache, it's slower: 東京 2026";
        let expected = bpe_openai::o200k_base().count(text);
        lend_all(counting, &|| assert_eq!(counting.count::<O200k>(text), expected));
    }

    #[test]
    fn every_encoding_is_found_by_its_name() {
        for encoding in Encoding::ALL {
            assert_eq!(Encoding::by_name(encoding.name()), Ok(encoding));
        }
        assert_eq!(Encoding::NAMES.len(), Encoding::ALL.len());
    }
}
