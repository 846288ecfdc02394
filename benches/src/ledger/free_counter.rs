//! A counter that costs nothing, so that what is measured is everything else.

use std::time::Duration;

use memory_core::{CountError, CounterId, Message, TokenCounter};
use memory_instance::Memory;

use super::outcome::Outcome;

/// Takes four bytes for a token.
#[derive(Debug)]
pub(crate) struct FreeCounter(CounterId);

impl FreeCounter {
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self(CounterId::new("free")?))
    }
}

impl TokenCounter for FreeCounter {
    fn id(&self) -> &CounterId {
        &self.0
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        Ok(text.len().div_ceil(4))
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        Some(text.len())
    }

    fn inline_safe(&self) -> bool {
        true
    }
}

/// Waits until a memory's pool has loaded its vocabulary and knows what counts cost.
pub(crate) async fn warmed_up(memory: &Memory) -> Outcome<()> {
    let (message, pool) = (Message::user("Is it ready?"), memory.counting());
    let is_ready =
        pool.warmed().await && pool.count_inline(&message, Duration::from_secs(1)).is_some();
    if is_ready { Ok(()) } else { Err("the counting pool did not warm up".into()) }
}
