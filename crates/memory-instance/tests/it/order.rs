//! The order of messages: under several writers, across trims, drops and clears.

use std::sync::Arc;

use memory_core::{MemoryStore, Message, Seq, Trim};
use memory_instance::{Conversation, LedgerEntry};
use memory_testkit::model::ModelStore;
use store_embedded::EmbeddedStore;

use crate::support::{Words, builder, conversation};

const WRITERS: u64 = 4;
const EACH: u64 = 20;

fn seqs(entries: &[LedgerEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq.get()).collect()
}

/// Every seq, read by small pages.
async fn paged(conversation: &Conversation) -> Vec<u64> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = conversation.page(after, 7).await.unwrap();
        all.extend(seqs(&page.entries));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// Checks that pages and windows have these seqs behind a head of `head` messages.
async fn check(conversation: &Conversation, head: usize, expected: &[u64]) {
    assert_eq!(paged(conversation).await, expected);
    let window = conversation.window(1_000_000).await.unwrap();
    assert_eq!(seqs(&window.head), expected[..head]);
    assert_eq!(seqs(&window.run), expected[head..]);
    let short = conversation.window(60).await.unwrap();
    assert_eq!(seqs(&short.head), expected[..head]);
    assert!(expected.ends_with(&seqs(&short.run)), "a short window ends at the newest");
}

async fn append(conversation: &Conversation, text: &str) -> u64 {
    conversation.append(Message::user(text)).await.unwrap().seq.get()
}

/// Writers at the same time; each sees its own messages in its order.
async fn write(conversation: &Conversation) {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let conversation = conversation.clone();
            tokio::spawn(async move {
                let mut own = Vec::new();
                for place in 0..EACH {
                    own.push(append(&conversation, &format!("{writer} {place}")).await);
                }
                own
            })
        })
        .collect();
    let mut all = Vec::new();
    for writer in writers {
        let own = writer.await.unwrap();
        assert!(own.is_sorted_by(|one, next| one < next), "a writer's own order: {own:?}");
        all.extend(own);
    }
    all.sort_unstable();
    assert_eq!(all, (3..3 + WRITERS * EACH).collect::<Vec<_>>(), "unique and gapless");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_seqs_are_unique_gapless_and_given_again_only_after_a_drop() {
    let embedded = EmbeddedStore::builder().in_memory().open().unwrap();
    let stores: [Arc<dyn MemoryStore>; 2] = [Arc::new(ModelStore::default()), Arc::new(embedded)];
    for store in stores {
        assert!(store.capabilities().trim);
        let memory = builder(store, Words::new("words").opened()).build().await.unwrap();
        let conversation = conversation(&memory, "c");
        let head = [Message::system("be brief"), Message::developer("no jokes")];
        let epoch = conversation.append_many(head).await.unwrap()[0].epoch;
        write(&conversation).await;
        let next = 3 + WRITERS * EACH;
        check(&conversation, 2, &(1..next).collect::<Vec<_>>()).await;

        // A trim leaves a gap behind the head, and gives no seq back.
        let trim = Trim { epoch, before: Seq::new(50).unwrap() };
        memory.store().trim(conversation.key(), trim).await.unwrap();
        let behind = |range: std::ops::Range<u64>| [1, 2].into_iter().chain(range).collect();
        let kept: Vec<_> = behind(50..next);
        check(&conversation, 2, &kept).await;
        assert_eq!(append(&conversation, "after the trim").await, next);

        // A drop does.
        assert_eq!(conversation.drop_newest(3).await.unwrap().next_seq.get(), next - 2);
        assert_eq!(append(&conversation, "after the drop").await, next - 2);
        let kept: Vec<_> = behind(50..next - 1);
        check(&conversation, 2, &kept).await;

        // Another life begins anew.
        conversation.clear().await.unwrap();
        let first = conversation.append(Message::user("anew")).await.unwrap();
        assert_eq!(first.seq, Seq::FIRST);
        assert_ne!(first.epoch, epoch);
        check(&conversation, 0, &[1]).await;
    }
}
