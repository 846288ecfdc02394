//! The short tokens of an encoding, to be found without merging.

use bpe_openai::Tokenizer;

use super::piece::{Entry, SHORT, is_empty, is_same, key, place};

/// The tokens that are short enough to be compared as two words.
///
/// A piece that is a token as a whole is merged to that token, whatever else it could be cut into:
/// so nothing has to be merged to know its count.
#[derive(Debug)]
pub(super) struct Vocabulary(Vec<Entry<2>>);

impl Vocabulary {
    pub(super) fn new(tokenizer: &Tokenizer) -> Self {
        let bpe = &tokenizer.bpe;
        let ids = 0..u32::try_from(bpe.num_tokens()).unwrap_or(u32::MAX);
        let tokens = || ids.clone().map(|id| bpe.token_bytes(id));
        let short = || tokens().filter(|token| (1..=SHORT).contains(&token.len()));
        // At most half of the places are taken, so that a search ends soon.
        let mut entries = vec![[0; 2]; (2 * short().count()).next_power_of_two()];
        for token in short() {
            let key = key::<2, 16>(token, 0, token.len());
            let free = walk(&entries, &key).find(|place| is_empty(&entries[*place]));
            if let Some(free) = free {
                entries[free] = key;
            }
        }
        Self(entries)
    }

    /// Whether the piece is one token. A long one may be and not be known here.
    pub(super) fn contains(&self, piece: &[u8]) -> bool {
        if piece.len() > SHORT {
            return false;
        }
        let key = key::<2, 16>(piece, 0, piece.len());
        for place in walk(&self.0, &key) {
            if is_empty(&self.0[place]) {
                return false;
            }
            if is_same(&self.0[place], &key) {
                return true;
            }
        }
        false
    }
}

/// All places of a table, from the one where the entry belongs.
fn walk(entries: &[Entry<2>], key: &Entry<2>) -> impl Iterator<Item = usize> + use<> {
    let (first, all) = (place(key, entries.len()), entries.len());
    (first..all).chain(0..first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_token_is_found_and_is_one_token() {
        for tokenizer in [bpe_openai::o200k_base(), bpe_openai::cl100k_base()] {
            let vocabulary = Vocabulary::new(tokenizer);
            for id in 0..u32::try_from(tokenizer.bpe.num_tokens()).unwrap() {
                let token = tokenizer.bpe.token_bytes(id);
                assert_eq!(vocabulary.contains(token), (1..=SHORT).contains(&token.len()), "{id}");
                assert_eq!(tokenizer.bpe.count(token), 1, "{id}");
            }
            for other in ["zqzq", " \u{1}\u{2}", ""] {
                assert!(!vocabulary.contains(other.as_bytes()), "{other:?}");
            }
        }
    }
}
