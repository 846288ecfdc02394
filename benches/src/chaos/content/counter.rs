//! What counts in a run.

use std::sync::Arc;

use memory_core::{CountError, CounterId, Framing, TokenCounter};
use serde::{Deserialize, Serialize};
use tokens::BpeCounter;

/// Which counter a file is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Counting {
    /// A hash of the text: cheap, and far off every estimate.
    Hash,
    /// `o200k_base`.
    Bpe,
}

impl Counting {
    pub(crate) fn counter(self) -> Arc<dyn TokenCounter> {
        match self {
            Self::Hash => Arc::new(HashCounter::default()),
            Self::Bpe => Arc::new(BpeCounter::o200k_base()),
        }
    }

    /// The id under which tallies are stored.
    pub(crate) fn tally_id(self) -> CounterId {
        self.counter().id().framed(&Framing::openai_chat_1())
    }
}

/// Counts between 1 and the text's length, as a hash of the text has it.
#[derive(Debug)]
struct HashCounter(CounterId);

impl Default for HashCounter {
    fn default() -> Self {
        Self(CounterId::new("chaos-hash").expect("the id is short and plain"))
    }
}

impl TokenCounter for HashCounter {
    fn id(&self) -> &CounterId {
        &self.0
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        // FNV-1a over words of eight bytes.
        let hash = text.as_bytes().chunks(8).fold(0xcbf2_9ce4_8422_2325_u64, |hash, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let folded = usize::try_from(hash >> 33).expect("31 bits fit");
        Ok(if text.is_empty() { 0 } else { 1 + folded % text.len() })
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        Some(text.len())
    }

    fn inline_safe(&self) -> bool {
        true
    }
}
