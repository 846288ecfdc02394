//! Hostile texts, the same for the same seed.

use bpe_openai::Tokenizer;
use fastrand::Rng;

use super::parts::{PARTS, Part};

/// Makes texts that are hard to split and to merge.
pub(crate) struct Generator {
    seed: u64,
    words: Vec<String>,
}

/// Characters of most texts.
const SHORT: usize = 200;
/// Characters of a few long ones.
const LONG: usize = 20_000;
/// One text of so many is a long one.
const LONG_ONES: u64 = 5000;

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let tokenizers = [bpe_openai::o200k_base(), bpe_openai::cl100k_base()];
        Self { seed, words: tokenizers.into_iter().flat_map(words).collect() }
    }

    /// The text of this number; each is made alone, so that any can be made again.
    pub(crate) fn text(&self, number: u64) -> String {
        let golden = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = Rng::with_seed(self.seed ^ (number + 1).wrapping_mul(golden));
        let most = if number % LONG_ONES == LONG_ONES - 1 { LONG } else { SHORT };
        // More short ones than long ones: what goes wrong is about neighbours mostly.
        let most = random.usize(0..=most);
        let mut left = random.usize(0..=most);
        // A few sorts of parts for each text, so that each sort meets each other one often.
        let sorts: Vec<Part> =
            (0..random.usize(1..=5)).map(|_| pick(&mut random, &PARTS)).collect();
        let mut text = String::with_capacity(2 * left);
        while left > 0 {
            let start = text.len();
            match pick(&mut random, &sorts) {
                Part::Word => text.push_str(&self.words[random.usize(0..self.words.len())]),
                Part::Other(add) => add(&mut random, &mut text),
            }
            left = left.saturating_sub(text[start..].chars().count().max(1));
        }
        text
    }
}

pub(super) fn pick<T: Copy>(random: &mut Rng, from: &[T]) -> T {
    from[random.usize(0..from.len())]
}

/// The tokens of a vocabulary that are text.
fn words(tokenizer: &'static Tokenizer) -> impl Iterator<Item = String> {
    let ids = 0..u32::try_from(tokenizer.bpe.num_tokens()).unwrap_or(u32::MAX);
    ids.filter_map(|id| String::from_utf8(tokenizer.bpe.token_bytes(id).to_vec()).ok())
}
