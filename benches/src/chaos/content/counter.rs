//! What counts in a run.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

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

/// What keeps counts back while it is shut. It is open at first, and opens when it is let go of.
#[derive(Debug, Default)]
pub(crate) struct Gate(Arc<Shut>);

#[derive(Debug, Default)]
struct Shut {
    is_shut: Mutex<bool>,
    opens: Condvar,
}

impl Gate {
    /// A counter that counts as this one does, while the gate is open.
    pub(crate) fn before(&self, counter: Arc<dyn TokenCounter>) -> Arc<dyn TokenCounter> {
        Arc::new(Gated { counter, shut: Arc::clone(&self.0) })
    }

    pub(crate) fn shut(&self) {
        self.0.set(true);
    }

    pub(crate) fn open(&self) {
        self.0.set(false);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

impl Shut {
    fn set(&self, is_shut: bool) {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = is_shut;
        self.opens.notify_all();
    }

    fn pass(&self) {
        let guard = self.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opens.wait_while(guard, |is_shut| *is_shut));
    }
}

/// A counter behind a gate.
#[derive(Debug)]
struct Gated {
    counter: Arc<dyn TokenCounter>,
    shut: Arc<Shut>,
}

impl TokenCounter for Gated {
    fn id(&self) -> &CounterId {
        self.counter.id()
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        self.shut.pass();
        self.counter.count(text)
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.counter.upper_bound(text)
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
