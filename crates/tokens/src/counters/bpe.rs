//! The exact counter for byte-pair encodings.

use memory_core::{CountError, CounterId, TokenCounter};

use super::cut;
use super::encoding::Encoding;
use crate::error::UnknownCounter;
use crate::models;

/// Counts tokens exactly, for one of OpenAI's encodings.
///
/// What looks like a special token is counted as the characters that it is. A counter is small:
/// the vocabulary is shared by all counters of the process and read on first use, which takes some
/// tens of milliseconds. [`AsyncTokenCounter`](crate::AsyncTokenCounter) does that ahead of time,
/// on a thread of its own. What was counted before is remembered piece by piece (a piece is a word,
/// about), in 4 MiB for each processor and encoding; what finds an encoding's tokens takes 6 MiB more.
///
/// # Examples
///
/// ```
/// use memory_core::TokenCounter;
/// use tokens::BpeCounter;
///
/// let counter = BpeCounter::by_name("o200k_base")?;
/// assert_eq!(counter.count("Hello, world!")?, 4);
/// assert_eq!(counter.count("<|endoftext|>")?, 7);
///
/// let error = BpeCounter::by_name("o200k").unwrap_err();
/// assert_eq!(error.nearest(), Some("o200k_base"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct BpeCounter {
    id: CounterId,
    encoding: Encoding,
}

impl BpeCounter {
    /// The names of the encodings that [`by_name`](Self::by_name) knows.
    pub const ENCODINGS: &'static [&'static str] = Encoding::NAMES;

    /// The counter for `o200k_base`, the encoding of GPT-4o and later models.
    pub fn o200k_base() -> Self {
        Self::new(Encoding::O200kBase)
    }

    /// The counter for `o200k_harmony`, the encoding of gpt-oss.
    ///
    /// It has other special tokens than `o200k_base`, and counts every text alike.
    pub fn o200k_harmony() -> Self {
        Self::new(Encoding::O200kHarmony)
    }

    /// The counter for `cl100k_base`, the encoding of GPT-4 and GPT-3.5.
    pub fn cl100k_base() -> Self {
        Self::new(Encoding::Cl100kBase)
    }

    /// The counter for the encoding of this name.
    ///
    /// # Errors
    ///
    /// [`UnknownCounter`] lists the known names, and which of them is nearest.
    pub fn by_name(name: &str) -> Result<Self, UnknownCounter> {
        Encoding::by_name(name).map(Self::new)
    }

    /// The counter for the encoding that OpenAI's model of this name uses.
    ///
    /// Dated names (`gpt-4o-2024-08-06`) and those of fine-tuned models (`ft:gpt-4o-mini:…`) are
    /// known by the model that they are made of. Which framing a model has says
    /// [`CounterRegistry::resolve`](crate::CounterRegistry::resolve).
    ///
    /// # Errors
    ///
    /// [`UnknownCounter`] lists the models whose names are near.
    pub fn for_model(model: &str) -> Result<Self, UnknownCounter> {
        let found = models::find(model).map(|(encoding, _)| Self::new(encoding));
        found.ok_or_else(|| UnknownCounter::new(model, [], models::names()))
    }

    pub(crate) fn new(encoding: Encoding) -> Self {
        let id = CounterId::new(encoding.name()).expect("the names of encodings are valid ids");
        Self { id, encoding }
    }
}

impl TokenCounter for BpeCounter {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        Ok(self.encoding.count(text))
    }

    /// Every token is at least one byte.
    fn upper_bound(&self, text: &str) -> Option<usize> {
        Some(text.len())
    }

    fn inline_safe(&self) -> bool {
        true
    }

    /// After a newline that an ASCII letter or digit follows.
    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        cut::after_newline(text, near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected counts are those of OpenAI's reference implementation, with special tokens
    /// taken as ordinary text.
    #[test]
    fn counts_equal_the_reference() {
        let (o200k, cl100k) = (BpeCounter::o200k_base(), BpeCounter::cl100k_base());
        let check = |text: &str, expected_o200k: usize, expected_cl100k: usize| {
            assert_eq!(o200k.count(text).unwrap(), expected_o200k, "o200k_base: {text:?}");
            assert_eq!(cl100k.count(text).unwrap(), expected_cl100k, "cl100k_base: {text:?}");
        };
        check("", 0, 0);
        check("a", 1, 1);
        check(" ", 1, 1);
        check("  ", 1, 1);
        check("\n\n", 1, 1);
        check("Hello, world!", 4, 4);
        check("<|endoftext|>", 7, 7);
        check("<|im_start|>user<|im_end|>", 13, 13);
        check("don't DON'T it's I'LL", 5, 9);
        check("HTTPServer camelCase snake_case", 6, 6);
        check("1 12 123 1234 1234567", 12, 12);
        check("a  b   c\t\td\r\n\r\n  e", 10, 10);
        check("fn main() { println!(\"{}\", 1 << 20); }", 13, 13);
        check("{\"id\":17,\"tags\":[\"a\",\"b\"],\"ok\":null}", 16, 15);
        check("Grüße aus Köln, naïve café", 9, 10);
        check("东京的天气很好,我们去散步吧。", 11, 18);
        check("きょうは天気がいいので、散歩に行きましょう。", 17, 26);
        check("오늘은 날씨가 좋아서 산책을 가려고 합니다.", 14, 28);
        check("Сегодня хорошая погода, пойдём гулять.", 12, 23);
        check("الطقس جميل اليوم، هيا نتمشى قليلا.", 14, 25);
        check("आज मौसम अच्छा है, चलो टहलने चलते हैं।", 13, 41);
        check("👩\u{200d}👩\u{200d}👧 👍🏽 🇩🇪 ❤\u{fe0f}", 16, 26);
        check("e\u{301}e\u{301}e\u{301}", 6, 6);
        check("'\u{17f} \u{212a}\u{17f}", 5, 7);
        check("\u{0}\u{1}\u{7f}\u{200b}\u{feff}", 5, 5);
        check(&"x".repeat(100), 13, 13);
        check(&" ".repeat(50), 1, 1);
        check(&format!("{}\n", "-".repeat(40)), 2, 2);
    }

    #[test]
    fn composed_and_decomposed_letters_are_other_texts() {
        // A counter that normalised its input would count both alike.
        let counter = BpeCounter::o200k_base();
        let (composed, decomposed) = ("é".repeat(8), "e\u{301}".repeat(8));
        assert_ne!(counter.count(&composed).unwrap(), counter.count(&decomposed).unwrap());
    }

    proptest::proptest! {
        #[test]
        fn a_count_is_within_its_upper_bound(text in ".{0,200}") {
            let harmony = BpeCounter::o200k_harmony().count(&text).unwrap();
            proptest::prop_assert_eq!(harmony, BpeCounter::o200k_base().count(&text).unwrap());
            for counter in [BpeCounter::o200k_base(), BpeCounter::cl100k_base()] {
                let count = counter.count(&text).unwrap();
                proptest::prop_assert!(count <= counter.upper_bound(&text).unwrap());
                proptest::prop_assert_eq!(count == 0, text.is_empty());
            }
        }
    }
}
