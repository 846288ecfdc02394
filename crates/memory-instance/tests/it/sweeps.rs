//! What a crash, a full queue or another counter left behind.

use std::sync::Arc;
use std::time::Duration;

use memory_core::{Clock, ManualClock, Message, Timestamp};
use memory_testkit::model::ModelStore;

use crate::support::{PATIENCE, Words, assert_exact, builder, conversation, shared};

/// A store in which a process left pendings behind when it died.
async fn abandoned(clock: Arc<ManualClock>) -> Arc<ModelStore> {
    let store = Arc::new(ModelStore::new(clock as Arc<dyn Clock>));
    let counter = shared(Words::new("words"));
    let memory =
        builder(Arc::clone(&store), Arc::clone(&counter)).workers(1).build().await.unwrap();
    memory.counting().warmed().await;
    for id in ["a", "b"] {
        for text in ["wait! one", "wait! one two", "wait!"] {
            conversation(&memory, id).append(Message::user(text)).await.unwrap();
        }
    }
    drop(memory);
    counter.open();
    store
}

#[tokio::test]
async fn promise_7_a_new_process_settles_what_a_dead_one_left() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
    let store = abandoned(Arc::clone(&clock)).await;
    let counter = Words::new("words");
    counter.open();
    let memory = builder(store, counter).build().await.unwrap();
    // The dead process's grace still holds; nobody else may touch its messages.
    assert_eq!(memory.sweep().await.unwrap().settled, 0);
    clock.advance(Duration::from_secs(11));
    let report = memory.sweep().await.unwrap();
    assert_eq!((report.settled, report.left), (6, 0));
    for id in ["a", "b"] {
        assert_exact(&conversation(&memory, id)).await;
    }
    assert_eq!(memory.sweep().await.unwrap().settled, 0);
    assert_eq!(memory.settled_so_far(), 6);
    assert_eq!(memory.counting().metrics().snapshot().recovered, 6);
}

#[tokio::test]
async fn a_memory_sweeps_when_it_starts() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
    let store = abandoned(Arc::clone(&clock)).await;
    clock.advance(Duration::from_secs(11));
    let counter = Words::new("words");
    counter.open();
    let memory = builder(store, counter).build().await.unwrap();
    let conversations = [conversation(&memory, "a"), conversation(&memory, "b")];
    let swept = async {
        for conversation in &conversations {
            while conversation.ledger().await.unwrap().under(&memory.tally_id()).pending > 0 {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, swept).await.expect("the first sweep settles everything");
}

#[tokio::test]
async fn a_touched_conversation_is_swept_without_waiting_for_the_next_round() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
    let store = abandoned(clock).await;
    let counter = Words::new("words");
    counter.open();
    let memory = builder(store, counter).build().await.unwrap();
    let touched = conversation(&memory, "a");
    let settled = async {
        while touched.totals().await.unwrap().pending > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("the touched conversation is swept");
    assert_exact(&touched).await;
    let other = conversation(&memory, "b").ledger().await.unwrap();
    assert_eq!(other.under(&memory.tally_id()).pending, 3);
}

#[tokio::test]
async fn more_pendings_than_one_claim_takes_are_all_settled() {
    let counter = shared(Words::new("words"));
    let memory = builder(ModelStore::default(), Arc::clone(&counter))
        .queue_capacity(1)
        .workers(1)
        .build()
        .await
        .unwrap();
    memory.counting().warmed().await;
    let conversation = conversation(&memory, "c");
    conversation.append(Message::user("wait!")).await.unwrap();
    for batch in 0..7 {
        let messages = (0..100).map(|n| Message::user("word ".repeat(batch + n % 7)));
        conversation.append_many(messages).await.unwrap();
    }
    counter.open();
    assert!(memory.settled(PATIENCE).await);
    let totals = conversation.settle(PATIENCE).await.unwrap();
    assert_eq!((totals.messages, totals.pending), (701, 0));
    assert_exact(&conversation).await;
}

#[tokio::test]
async fn damaged_pendings_are_left_and_the_others_settled() {
    use memory_core::{Append, Epoch, Fingerprint, MemoryStore, MessageClass, NewMessage, Tally};
    let store = Arc::new(ModelStore::default());
    let counter = Words::new("words");
    let memory = builder(Arc::clone(&store), counter).build().await.unwrap();
    let conversation = conversation(&memory, "c");
    let stored = |payload: &str, nonce| NewMessage {
        payload: payload.into(),
        class: MessageClass::User,
        fingerprint: Fingerprint::from_random(nonce),
        tally: Tally::estimated(1),
        id: None,
    };
    let good = Message::user("one two");
    let append = Append {
        counter: memory.tally_id().clone(),
        new_epoch: Epoch::from_random(7),
        messages: vec![stored("no message", 1), stored(good.as_json(), 2)],
        grace: Duration::ZERO,
    };
    store.append(conversation.key(), append).await.unwrap();
    let totals = conversation.settle(PATIENCE).await.unwrap();
    assert_eq!(totals.pending, 1);
    let error = conversation.page(None, 10).await.unwrap_err();
    assert!(error.to_string().contains("seq 1"), "{error}");
}
