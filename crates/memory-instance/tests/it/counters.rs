//! One conversation under two counters.

use std::sync::Arc;

use memory_core::{CounterId, MemoryStore, Message, WindowQuery};
use memory_testkit::model::ModelStore;
use store_embedded::EmbeddedStore;

use crate::support::{PATIENCE, Words, assert_exact, builder, conversation};

#[tokio::test]
async fn what_another_counter_counted_is_counted_anew() {
    let store = Arc::new(ModelStore::default());
    let first = builder(Arc::clone(&store), Words::new("words")).build().await.unwrap();
    let old = conversation(&first, "c");
    old.append_many((0..20).map(|n| Message::user("w ".repeat(n)))).await.unwrap();
    assert!(first.settled(PATIENCE).await);
    let before = old.totals().await.unwrap();

    let second = builder(Arc::clone(&store), Words::new("other-words")).build().await.unwrap();
    let new = conversation(&second, "c");
    let missing = new.ledger().await.unwrap().under(&second.tally_id());
    assert_eq!((missing.pending, missing.complete), (20, false));
    let window = new.window(10_000).await.unwrap();
    assert_eq!((window.run.len(), window.charged_upper_bound), (20, 0));

    let totals = new.settle(PATIENCE).await.unwrap();
    assert_eq!((totals.pending, totals.complete, totals.tokens), (0, true, before.tokens));
    assert_exact(&new).await;
    // The old sums still stand, under their own name.
    let ledger = new.ledger().await.unwrap();
    assert_eq!(ledger.under(&first.tally_id()), before);
    assert_eq!(ledger.current.as_ref(), Some(&second.tally_id()));
}

#[tokio::test]
async fn a_window_under_another_counter_does_not_read_the_whole_history() {
    let store = Arc::new(EmbeddedStore::builder().in_memory().open().unwrap());
    let first = builder(Arc::clone(&store), Words::new("words")).build().await.unwrap();
    let old = conversation(&first, "c");
    for _ in 0..20 {
        old.append_many((0..50).map(|_| Message::user("ten words ".repeat(5)))).await.unwrap();
    }
    assert!(first.settled(PATIENCE).await);
    let query =
        |counter: &str| WindowQuery { counter: CounterId::new(counter).unwrap(), budget: 300 };
    let counted = store.read_window(old.key(), query("words/openai-chat-1")).await.unwrap();
    let missing = store.read_window(old.key(), query("other/openai-chat-1")).await.unwrap();
    assert!(missing.tail.iter().all(|message| message.tally.is_none()));
    assert!(missing.tail.len() <= 2 * counted.tail.len() + 1, "{}", missing.tail.len());

    let second = builder(store, Words::new("other")).build().await.unwrap();
    let window = conversation(&second, "c").window(300).await.unwrap();
    assert_eq!(window.tokens, 3 + 14 * 21);
}
