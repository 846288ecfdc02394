//! Waiting until everything is counted.

use std::time::Duration;

use turnledger::{Conversation, Memory, MemoryError, Totals};

/// How long one attempt may take; as long as an attempt makes progress, another one follows.
const ATTEMPT: Duration = Duration::from_secs(30);

/// Waits until what the memory has queued is settled.
///
/// Where that takes very long, [`settle`] does for each conversation what is left.
pub(super) async fn settle_queue(memory: &Memory) {
    memory.settled(ATTEMPT).await;
}

/// Settles everything of a conversation, under the memory's counter, and returns its sums.
///
/// They still have pendings where messages cannot be counted now.
pub(super) async fn settle(conversation: &Conversation) -> Result<Totals, MemoryError> {
    let mut before = u64::MAX;
    loop {
        let totals = conversation.settle(ATTEMPT).await?;
        if totals.pending == 0 || totals.pending >= before {
            return Ok(totals);
        }
        before = totals.pending;
    }
}
