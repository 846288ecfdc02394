//! One conversation under two counters.

use std::sync::Arc;

use memory_core::Message;
use memory_testkit::model::ModelStore;

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
    let missing = new.ledger().await.unwrap().under(second.tally_id());
    assert_eq!((missing.pending, missing.complete), (20, false));
    let window = new.window(10_000).await.unwrap();
    assert_eq!((window.run.len(), window.charged_upper_bound), (20, 0));

    let totals = new.settle(PATIENCE).await.unwrap();
    assert_eq!((totals.pending, totals.complete, totals.tokens), (0, true, before.tokens));
    assert_exact(&new).await;
    // The old sums still stand, under their own name.
    let ledger = new.ledger().await.unwrap();
    assert_eq!(ledger.under(first.tally_id()), before);
    assert_eq!(ledger.current.as_ref(), Some(second.tally_id()));
}
