//! Futures that are dropped half-way, at every point where they wait.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use memory_core::Message;
use memory_instance::{CountPolicy, Memory};
use store_embedded::EmbeddedStore;

use crate::support::{PATIENCE, Words, assert_exact, assert_sums, builder, conversation};

/// Polls a future so many times, with time for others between, and drops it.
async fn poll_and_drop(future: impl Future, polls: usize) {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if polled.is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn memory(policy: CountPolicy) -> Memory {
    let store = EmbeddedStore::builder().in_memory().open().unwrap();
    builder(Arc::new(store), Words::new("words")).count_policy(policy).build().await.unwrap()
}

#[tokio::test]
async fn promise_6_an_append_that_is_dropped_happens_wholly_or_not_at_all() {
    for policy in CountPolicy::ALL {
        let memory = memory(policy).await;
        let conversation = conversation(&memory, "c");
        for polls in 0..40 {
            let before = conversation.len().await.unwrap();
            let batch = (0..3).map(|n| Message::user("w ".repeat(n)));
            poll_and_drop(conversation.append_many(batch), polls).await;
            // A write that had begun may end after the drop; the next one is behind it.
            conversation.append(Message::user("next")).await.unwrap();
            let after = conversation.len().await.unwrap();
            assert!(after == before + 1 || after == before + 4, "{policy}: {before} to {after}");
            assert_sums(&conversation).await;
        }
        assert!(memory.settled(PATIENCE).await);
        let totals = conversation.settle(PATIENCE).await.unwrap();
        assert_eq!(totals.pending, 0, "{policy}");
        assert_exact(&conversation).await;
    }
}

#[tokio::test]
async fn promise_6_reads_and_sweeps_that_are_dropped_leave_nothing_behind() {
    let memory = memory(CountPolicy::Background).await;
    let conversation = conversation(&memory, "c");
    conversation.append_many((0..50).map(|n| Message::user("w ".repeat(n)))).await.unwrap();
    for polls in 0..30 {
        poll_and_drop(conversation.window(500), polls).await;
        poll_and_drop(conversation.settle(PATIENCE), polls).await;
        poll_and_drop(memory.sweep(), polls).await;
        poll_and_drop(conversation.totals(), polls).await;
        assert_sums(&conversation).await;
    }
    assert!(memory.settled(PATIENCE).await);
    conversation.settle(PATIENCE).await.unwrap();
    assert_exact(&conversation).await;
    // Every place in the queue is free again.
    assert!(memory.counting().is_idle());
    poll_and_drop(memory.shutdown(PATIENCE), 1).await;
    assert_eq!(memory.shutdown(PATIENCE).await.left_pending, 0);
}
