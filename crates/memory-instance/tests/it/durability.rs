//! What was acknowledged is there after the process was killed.

use std::sync::Arc;

use memory_core::Message;
use memory_instance::Memory;
use store_embedded::{Durability, EmbeddedStore};

use crate::pages::Pages;
use crate::support::{PATIENCE, Words, assert_exact, builder, conversation};

/// A process that begins on what another one left.
async fn begin(pages: &Pages, durability: Durability) -> Memory {
    let store = EmbeddedStore::builder().backend(pages.clone()).durability(durability);
    let store = Arc::new(store.open_async().await.unwrap());
    builder(store, Words::new("words").opened()).build().await.unwrap()
}

async fn stored(memory: &Memory) -> Vec<Message> {
    let page = conversation(memory, "c").page(None, 100).await.unwrap();
    page.entries.into_iter().map(|entry| entry.message).collect()
}

#[tokio::test]
async fn promise_1_an_acknowledged_append_survives_a_kill_right_after_it() {
    for durability in [Durability::Sync, Durability::Relaxed] {
        let (mut pages, mut written) = (Pages::default(), Vec::new());
        for kills in 0..8 {
            let memory = begin(&pages, durability).await;
            assert_eq!(stored(&memory).await, written, "{durability:?}: after {kills} kills");
            let batch: Vec<_> =
                (0..=kills % 3).map(|place| Message::user(format!("{kills} {place}"))).collect();
            conversation(&memory, "c").append_many(batch.clone()).await.unwrap();
            // The process is killed at this moment; what it does from here on is for nothing.
            pages = pages.after_a_kill();
            written.extend(batch);
        }
        let memory = begin(&pages, durability).await;
        assert_eq!(stored(&memory).await, written, "{durability:?}");
        let conversation = conversation(&memory, "c");
        assert_eq!(conversation.settle(PATIENCE).await.unwrap().pending, 0);
        assert_exact(&conversation).await;
    }
}
