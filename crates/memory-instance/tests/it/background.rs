//! Settling in the background, and counters that fail.

use std::sync::Arc;

use memory_core::{FinalReason, Message, Tally, TallyState};
use memory_instance::Settling;
use memory_testkit::model::ModelStore;

use crate::support::{PATIENCE, Words, assert_exact, assert_sums, builder, conversation, shared};

#[tokio::test]
async fn promise_3_every_tally_becomes_exact() {
    let memory = crate::support::memory().await;
    let conversations: Vec<_> =
        ["a", "b", "c"].into_iter().map(|id| conversation(&memory, id)).collect();
    for round in 0..30 {
        for conversation in &conversations {
            let text = "word ".repeat(round * 7 % 40);
            conversation.append(Message::user(text)).await.unwrap();
            assert_sums(conversation).await;
        }
    }
    assert!(memory.settled(PATIENCE).await);
    for conversation in &conversations {
        assert_exact(conversation).await;
    }
}

#[tokio::test]
async fn a_counter_that_recovers_in_time_settles_exactly() {
    let memory = crate::support::memory().await;
    let conversation = conversation(&memory, "c");
    conversation.append(Message::user("fail-twice! please")).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    assert_exact(&conversation).await;
}

#[tokio::test]
async fn a_counter_that_fails_three_times_makes_the_tally_final() {
    for text in ["fail! always", "panic! always"] {
        let memory = crate::support::memory().await;
        let conversation = conversation(&memory, "c");
        let message = Message::user(text);
        conversation.append(message.clone()).await.unwrap();
        assert!(memory.settled(PATIENCE).await);
        let page = conversation.page(None, 10).await.unwrap();
        // Words has an upper bound, of the bytes of each text.
        let bound = 3 + message.text_bytes() as u64;
        assert_eq!(
            page.entries[0].tally,
            Some(Tally::final_because(bound, FinalReason::Failed)),
            "{text}"
        );
        assert_eq!(page.totals.pending, 0);
    }
}

#[tokio::test]
async fn media_is_final_and_not_pending() {
    let memory = crate::support::memory().await;
    let conversation = conversation(&memory, "c");
    let json = r#"{"role":"user","content":[{"type":"text","text":"look here"},
        {"type":"image_url","image_url":{"url":"u","detail":"low"}}]}"#;
    let message = Message::from_json(json, memory.limits()).unwrap();
    conversation.append(message).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    let page = conversation.page(None, 10).await.unwrap();
    let tally = page.entries[0].tally.unwrap();
    assert_eq!(tally.state, TallyState::Final(FinalReason::Media));
    assert_eq!(tally.tokens, 3 + 1 + 2 + 85);
}

#[tokio::test]
async fn promise_7_what_found_no_place_in_the_queue_is_settled_by_a_sweep() {
    let counter = shared(Words::new("words"));
    let memory = builder(ModelStore::default(), Arc::clone(&counter))
        .queue_capacity(2)
        .workers(1)
        .build()
        .await
        .unwrap();
    memory.counting().warmed().await;
    let conversation = conversation(&memory, "c");
    let mut settling = Vec::new();
    for _ in 0..10 {
        let receipt = conversation.append(Message::user("wait! for it")).await.unwrap();
        settling.push(receipt.settling);
    }
    let left = settling.iter().filter(|one| **one == Settling::LeftToSweep).count();
    assert_eq!(left, 8, "{settling:?}");
    assert_sums(&conversation).await;

    counter.open();
    assert!(memory.settled(PATIENCE).await);
    let report = memory.sweep().await.unwrap();
    let totals = conversation.settle(PATIENCE).await.unwrap();
    assert_eq!(totals.pending, 0, "{report:?}");
    assert_exact(&conversation).await;
}

#[tokio::test]
async fn promise_8_a_late_count_does_not_reach_the_message_that_took_the_seq() {
    let counter = shared(Words::new("words"));
    let memory =
        builder(ModelStore::default(), Arc::clone(&counter)).workers(1).build().await.unwrap();
    memory.counting().warmed().await;
    let conversation = conversation(&memory, "c");
    // Its count is late: it comes when another message has the seq.
    conversation.append(Message::user("wait! one two three four five")).await.unwrap();
    conversation.drop_newest(1).await.unwrap();
    let receipt = conversation.append(Message::user("short")).await.unwrap();
    assert_eq!(receipt.seq.get(), 1);
    counter.open();
    assert!(memory.settled(PATIENCE).await);
    assert_exact(&conversation).await;

    // The same across a clear: the epoch is another.
    conversation.clear().await.unwrap();
    let next = conversation.append(Message::user("again")).await.unwrap();
    assert_ne!(next.epoch, receipt.epoch);
    assert!(memory.settled(PATIENCE).await);
    assert_exact(&conversation).await;
}
