//! One counter in the place of another, while the memory is at work.

use std::sync::Arc;
use std::time::Duration;

use memory_core::{
    ConversationId, CountError, CounterId, Framing, ListQuery, MemoryStore, Message, StoreError,
    Tally, TokenCounter,
};
use memory_instance::{Conversation, CountPolicy, Memory, MemoryError};
use memory_testkit::gate::{Answer, Gate, GatedStore, Place};
use memory_testkit::model::ModelStore;
use store_embedded::EmbeddedStore;

use crate::pages::Pages;
use crate::support::{PATIENCE, Words, assert_exact, builder, conversation, exact, shared};

/// Counts characters, so that nothing is exact that was counted by [`Words`].
#[derive(Debug)]
struct Letters(CounterId);

impl Letters {
    fn new(id: &str) -> Self {
        Self(CounterId::new(id).unwrap())
    }
}

impl TokenCounter for Letters {
    fn id(&self) -> &CounterId {
        &self.0
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        Ok(text.chars().count())
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        Some(text.len())
    }

    fn inline_safe(&self) -> bool {
        true
    }
}

/// The exact tally of a message under [`Letters`].
fn letters(message: &Message) -> Tally {
    let count = |text: &str| Ok::<_, std::convert::Infallible>(text.chars().count() as u64);
    let Ok(tally) = Framing::openai_chat_1().tally(message, count);
    tally
}

/// Checks that everything is counted as it should be, and belongs to the memory's counter.
async fn check(memory: &Memory, conversation: &Conversation, exact: fn(&Message) -> Tally) {
    let ledger = conversation.ledger().await.unwrap();
    assert_eq!(ledger.current, Some(memory.tally_id()), "{:?}", conversation.key());
    check_counts(memory, conversation, exact).await;
}

/// Checks that everything is counted as it should be by the memory's counter.
async fn check_counts(memory: &Memory, conversation: &Conversation, exact: fn(&Message) -> Tally) {
    let ledger = conversation.ledger().await.unwrap();
    let totals = ledger.under(&memory.tally_id());
    assert_eq!((totals.pending, totals.complete), (0, true), "{:?}", conversation.key());
    let page = conversation.page(None, 10_000).await.unwrap();
    for entry in &page.entries {
        assert_eq!(entry.tally, Some(exact(&entry.message)), "seq {}", entry.seq);
    }
    let sum: u64 = page.entries.iter().map(|entry| exact(&entry.message).tokens).sum();
    assert_eq!((totals.messages, totals.tokens), (page.entries.len() as u64, sum));
}

/// Sweeps until everything in the namespace belongs to the memory's counter and is counted.
async fn swept(memory: &Memory) {
    let done = async {
        loop {
            memory.sweep().await.unwrap();
            let mut left = 0;
            for summary in listed(memory).await {
                let ledger = memory.conversation(summary).ledger().await.unwrap();
                let is_own = ledger.current == Some(memory.tally_id());
                left += u64::from(!is_own) + ledger.under(&memory.tally_id()).pending;
            }
            if left == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("everything is counted anew");
}

async fn listed(memory: &Memory) -> Vec<ConversationId> {
    let namespace = memory.namespace().clone();
    let query = ListQuery { namespace, after: None, limit: usize::MAX };
    let listed = memory.store().list(query).await.unwrap().conversations;
    listed.into_iter().map(|summary| summary.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swap_under_load_leaves_everything_exact_under_the_new_counter() {
    let store = Arc::new(EmbeddedStore::builder().in_memory().open().unwrap());
    for policy in [CountPolicy::Background, CountPolicy::Adaptive, CountPolicy::Inline] {
        let counter = Words::new("words").opened();
        let builder = builder(Arc::clone(&store), counter).count_policy(policy);
        let memory = builder.grace(Duration::ZERO).lease(Duration::from_millis(1));
        let memory = memory.build().await.unwrap();
        for place in 0..20 {
            let untouched = conversation(&memory, &format!("{policy} untouched {place}"));
            untouched.append_many((0..7).map(|n| Message::user("w ".repeat(n)))).await.unwrap();
        }
        let (begun, mut halfway) = tokio::sync::mpsc::channel(1000);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (memory, begun) = (memory.clone(), begun.clone());
                tokio::spawn(async move {
                    for place in 0..60 {
                        let id = format!("{policy} {}", (writer + place) % 6);
                        let text = "some words ".repeat(place % 9);
                        conversation(&memory, &id).append(Message::user(text)).await.unwrap();
                        begun.send(()).await.unwrap();
                    }
                })
            })
            .collect();
        for _ in 0..60 {
            halfway.recv().await.unwrap();
        }
        let former = memory.swap_counter(Letters::new("letters")).await.unwrap();
        assert_eq!(memory.tally_id().as_str(), "letters/openai-chat-1");
        assert_eq!(former.tally_id().as_str(), "words/openai-chat-1");
        let after = conversation(&memory, &format!("{policy} 0"));
        let window = after.window(1_000_000).await.unwrap();
        assert!(window.run.iter().all(|entry| entry.tally == Some(letters(&entry.message))));
        for writer in writers {
            writer.await.unwrap();
        }
        assert!(memory.settled(PATIENCE).await);
        swept(&memory).await;
        let all = listed(&memory).await;
        for id in &all {
            check(&memory, &memory.conversation(id.clone()), letters).await;
        }
        let mut messages = 0;
        for id in all.iter().filter(|id| id.as_str().starts_with(policy.as_str())) {
            messages += memory.conversation(id.clone()).len().await.unwrap();
        }
        assert_eq!(messages, 20 * 7 + 4 * 60);
        memory.shutdown(PATIENCE).await;
    }
}

#[tokio::test]
async fn a_recount_that_a_crash_cut_off_goes_on_with_the_next_process() {
    let pages = Pages::default();
    let open = async |pages: &Pages| {
        let builder = EmbeddedStore::builder().backend(pages.clone());
        Arc::new(builder.open_async().await.unwrap())
    };
    let store = open(&pages).await;
    let memory = builder(Arc::clone(&store), Letters::new("letters")).build().await.unwrap();
    for place in 0..300 {
        let conversation = conversation(&memory, &format!("{place:03}"));
        conversation.append(Message::user("wait! for it")).await.unwrap();
    }
    assert!(memory.settled(PATIENCE).await);
    let words = shared(Words::new("words"));
    let former = memory.swap_counter(Arc::clone(&words)).await.unwrap();
    // A first piece of the recount is under way, and hangs there.
    let own = memory.tally_id();
    let begun = async {
        let first = conversation(&memory, "000");
        while first.ledger().await.unwrap().current.as_ref() != Some(&own) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, begun).await.expect("the sweep begins by itself");
    let last = conversation(&memory, "299").ledger().await.unwrap();
    assert_eq!(last.current.as_ref(), Some(former.tally_id()), "the rest is still to come");
    let pages = pages.after_a_kill();
    words.open();
    drop((memory, store));

    let store = open(&pages).await;
    let memory = builder(store, Words::new("words").opened()).build().await.unwrap();
    swept(&memory).await;
    for place in 0..300 {
        check(&memory, &conversation(&memory, &format!("{place:03}")), exact).await;
    }
}

#[tokio::test]
async fn the_last_of_two_swaps_holds() {
    let store = Arc::new(ModelStore::default());
    let memory = builder(Arc::clone(&store), Words::new("words").opened()).build().await.unwrap();
    for id in ["a", "b", "c"] {
        conversation(&memory, id).append(Message::user("one two three")).await.unwrap();
    }
    let first = memory.swap_counter(Letters::new("letters")).await.unwrap();
    let second = memory.swap_counter(Words::new("other-words").opened()).await.unwrap();
    assert_eq!(first.tally_id().as_str(), "words/openai-chat-1");
    assert_eq!(second.tally_id().as_str(), "letters/openai-chat-1");
    conversation(&memory, "a").append(Message::user("four")).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    swept(&memory).await;
    for id in ["a", "b", "c"] {
        check(&memory, &conversation(&memory, id), exact).await;
    }
    ended(&first).await;
    ended(&second).await;
    // Swapped back, everything that the first counter had counted still stands.
    memory.swap_counter(Words::new("words").opened()).await.unwrap();
    swept(&memory).await;
    check(&memory, &conversation(&memory, "b"), exact).await;
}

/// Waits until a pool takes nothing more and has done what it took.
async fn ended(pool: &tokens::AsyncTokenCounter) {
    let ended = async {
        while !matches!(pool.reserve(), Err(CountError::ShutDown)) {
            tokio::task::yield_now().await;
        }
        pool.wait_idle().await;
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("a former pool ends by itself");
}

#[tokio::test]
async fn what_was_under_way_gets_its_answer_from_the_former_counter() {
    let counter = shared(Words::new("words"));
    let builder = builder(ModelStore::default(), Arc::clone(&counter)).workers(1);
    let memory = builder.count_policy(CountPolicy::Inline).build().await.unwrap();
    memory.counting().warmed().await;
    let waiting = conversation(&memory, "c");
    let appending = tokio::spawn(async move { waiting.append(Message::user("wait! a b")).await });
    while counter.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let former = memory.swap_counter(Letters::new("letters")).await.unwrap();
    let after = conversation(&memory, "c").append(Message::user("abc")).await.unwrap();
    assert_eq!(after.tally, Some(letters(&Message::user("abc"))));
    assert!(!matches!(former.reserve(), Err(CountError::ShutDown)), "it is still at work");
    counter.open();
    let receipt = appending.await.unwrap().unwrap();
    assert_eq!(receipt.tally, Some(exact(&Message::user("wait! a b"))));
    ended(&former).await;
    let done = former.metrics().snapshot();
    assert_eq!((done.given_up, done.failed), (0, 0));
    assert!(done.succeeded > 0);
    assert_eq!(memory.counting().metrics().snapshot().given_up, 0);
    swept(&memory).await;
    check(&memory, &conversation(&memory, "c"), letters).await;
}

#[tokio::test]
async fn an_append_that_the_store_holds_up_ends_under_the_new_counter_all_the_same() {
    let gate = Gate::new(Place::Before);
    let store = GatedStore::new(Arc::new(ModelStore::default()), gate.clone());
    let memory = builder(store, Words::new("words").opened()).build().await.unwrap();
    conversation(&memory, "c").append(Message::user("first")).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    gate.only(["append"]);
    gate.set(Answer::Slow);
    let held = conversation(&memory, "c");
    let appending = tokio::spawn(async move { held.append(Message::user("held up")).await });
    gate.arrived(1).await;
    let former = memory.swap_counter(Letters::new("letters")).await.unwrap();
    // The recount comes to its end before the append that makes the former counter current again.
    memory.sweep().await.unwrap();
    check(&memory, &conversation(&memory, "c"), letters).await;
    gate.set(Answer::Ready);
    appending.await.unwrap().unwrap();
    ended(&former).await;
    swept(&memory).await;
    check(&memory, &conversation(&memory, "c"), letters).await;
    assert_eq!(conversation(&memory, "c").len().await.unwrap(), 2);
}

#[tokio::test]
async fn a_shutdown_right_after_a_swap_ends_both_pools() {
    let store = Arc::new(ModelStore::default());
    let counter = shared(Words::new("words"));
    let memory =
        builder(Arc::clone(&store), Arc::clone(&counter)).workers(1).build().await.unwrap();
    memory.counting().warmed().await;
    for _ in 0..5 {
        conversation(&memory, "c").append(Message::user("wait! for it")).await.unwrap();
    }
    let former = memory.swap_counter(Letters::new("letters")).await.unwrap();
    conversation(&memory, "c").append(Message::user("more")).await.unwrap();
    let late = memory.clone();
    let opening = tokio::spawn(async move { counter.open() });
    let report = memory.shutdown(PATIENCE).await;
    opening.await.unwrap();
    assert_eq!(report.left_pending, 0);
    // The new counter's own message may have been settled a moment before.
    assert!((5..=6).contains(&report.settled), "{report:?}");
    assert!(matches!(former.reserve(), Err(CountError::ShutDown)));
    assert!(matches!(memory.counting().reserve(), Err(CountError::ShutDown)));
    let refused = late.swap_counter(Words::new("third")).await;
    assert!(matches!(refused, Err(MemoryError::ShutDown)), "{refused:?}");

    let next = builder(store, Letters::new("letters")).build().await.unwrap();
    swept(&next).await;
    check(&next, &conversation(&next, "c"), letters).await;
}

#[tokio::test]
async fn a_swap_that_the_store_refuses_changes_nothing() {
    let gate = Gate::new(Place::Before);
    let store = GatedStore::new(Arc::new(ModelStore::default()), gate.clone());
    let memory = builder(store, Words::new("words").opened()).build().await.unwrap();
    gate.only(["recount"]);
    gate.set(Answer::Error);
    let error = memory.swap_counter(Letters::new("letters")).await.unwrap_err();
    assert!(matches!(error, MemoryError::Store(StoreError::Backend { .. })), "{error:?}");
    // Given up while the store is asked, it has not happened either.
    gate.set(Answer::Never);
    let swapping = memory.clone();
    let swapping = tokio::spawn(async move { swapping.swap_counter(Letters::new("x")).await });
    gate.arrived(1).await;
    swapping.abort();
    assert!(swapping.await.unwrap_err().is_cancelled());
    assert_eq!(memory.tally_id().as_str(), "words/openai-chat-1");
    let conversation = conversation(&memory, "c");
    conversation.append(Message::user("one two")).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    assert_exact(&conversation).await;
    gate.set(Answer::Ready);
    memory.swap_counter(Letters::new("letters")).await.unwrap();
    swept(&memory).await;
    check(&memory, &conversation, letters).await;
}

#[tokio::test]
async fn two_memories_with_different_counters_leave_true_sums_to_each_other() {
    let store = Arc::new(ModelStore::default());
    let first = builder(Arc::clone(&store), Words::new("words").opened()).build().await.unwrap();
    let second = builder(store, Words::new("words").opened()).build().await.unwrap();
    conversation(&first, "c").append(Message::user("one two")).await.unwrap();
    second.swap_counter(Letters::new("letters")).await.unwrap();
    for round in 0..10 {
        let (one, two) = (conversation(&first, "c"), conversation(&second, "c"));
        one.append(Message::user("w ".repeat(round))).await.unwrap();
        two.append(Message::user("w ".repeat(round))).await.unwrap();
        second.sweep().await.unwrap();
        first.sweep().await.unwrap();
    }
    assert!(first.settled(PATIENCE).await && second.settled(PATIENCE).await);
    conversation(&first, "c").settle(PATIENCE).await.unwrap();
    check_counts(&first, &conversation(&first, "c"), exact).await;
    conversation(&second, "c").settle(PATIENCE).await.unwrap();
    check_counts(&second, &conversation(&second, "c"), letters).await;
    let totals = conversation(&first, "c").ledger().await.unwrap().under(&first.tally_id());
    assert_eq!((totals.messages, totals.pending), (21, 0), "what the first has counted stays");
}
