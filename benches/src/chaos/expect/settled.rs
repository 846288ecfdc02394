//! After a sweep everything is exact.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{Backlog, MemoryStore, Message, Namespace, TallyState};
use memory_instance::{CountPolicy, Memory};

use super::observed::{Observed, observe};
use crate::chaos::content::{Contents, Counting};
use crate::chaos::error::{ChaosError, Outcome, ensure};

/// What a sweep may take at the most.
const BOUND: Duration = Duration::from_secs(30);
/// The time between two sweeps that found nothing.
const PAUSE: Duration = Duration::from_millis(5);

/// Sweeps until nothing is pending, and counts every message anew.
pub(crate) async fn settle(
    store: &Arc<dyn MemoryStore>,
    counting: Counting,
    contents: &Contents,
    conversations: &[u16],
) -> Outcome<()> {
    let memory = Memory::builder()
        .store(Arc::clone(store))
        .counter(counting.counter())
        .count_policy(CountPolicy::Background)
        .workers(1)
        .build()
        .await?;
    let (namespace, start) = (Namespace::default(), Instant::now());
    while !store.pending(&namespace, Backlog::Pending, 1).await?.is_empty() {
        // The memory's own first sweep may hold the rest.
        if memory.sweep().await?.settled == 0 {
            // The rest is leased, or within its time of grace.
            tokio::time::sleep(PAUSE).await;
        }
        ensure!(
            start.elapsed() < BOUND,
            "a message is pending {} s after a crash",
            BOUND.as_secs()
        );
    }
    memory.shutdown(BOUND).await;
    drop(memory);
    for observed in observe(&**store, &counting.tally_id(), conversations).await? {
        check(&observed, contents)?;
    }
    Ok(())
}

/// Checks that every tally is the count of its message.
pub(super) fn check(observed: &Observed, contents: &Contents) -> Outcome<()> {
    let number = observed.conversation;
    for stored in &observed.messages {
        let seq = stored.seq;
        let Ok(message) = Message::from_payload(Arc::clone(&stored.payload)) else {
            let detail = format!("seq {seq} of conversation {number} holds no message");
            return Err(ChaosError::violation(detail));
        };
        let tokens = contents.tokens(&message)?;
        let is_exact = stored
            .tally
            .is_some_and(|tally| tally.state == TallyState::Exact && tally.tokens == tokens);
        ensure!(
            is_exact,
            "seq {seq} of conversation {number} has {tokens} tokens; after the sweep its tally \
             is {:?}",
            stored.tally
        );
    }
    Ok(())
}
