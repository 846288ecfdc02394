//! What a memory asks of its store, and what it makes of the store's failures.

use std::time::Duration;

use async_trait::async_trait;
use memory_core::{
    Append, Appended, AppendedMessage, Backlog, Capabilities, Claim, Claimed, Cleared,
    ConversationKey, CounterId, Dropped, LedgerTotals, ListPage, ListQuery, MemoryStore, Message,
    Namespace, Page, PageQuery, PendingConversation, Probe, Repair, RepairReport, Seq, Settle,
    Settled, StoreError, Timestamp, Totals, Trim, Trimmed, WindowQuery, WindowRead,
};
use memory_instance::MemoryError;

use crate::support::{PATIENCE, Words, builder, conversation};

mockall::mock! {
    #[derive(Debug)]
    Store {}

    #[async_trait]
    impl MemoryStore for Store {
        fn capabilities(&self) -> Capabilities;
        async fn append(&self, key: &ConversationKey, append: Append) -> Result<Appended, StoreError>;
        async fn settle(&self, key: &ConversationKey, settle: Settle) -> Result<Settled, StoreError>;
        async fn read_window(&self, key: &ConversationKey, query: WindowQuery) -> Result<WindowRead, StoreError>;
        async fn page(&self, key: &ConversationKey, query: PageQuery) -> Result<Page, StoreError>;
        async fn totals(&self, key: &ConversationKey) -> Result<LedgerTotals, StoreError>;
        async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Result<(), StoreError>;
        async fn pending(&self, namespace: &Namespace, backlog: Backlog, limit: usize) -> Result<Vec<PendingConversation>, StoreError>;
        async fn claim_pending(&self, claim: Claim) -> Result<Claimed, StoreError>;
        async fn trim(&self, key: &ConversationKey, trim: Trim) -> Result<Trimmed, StoreError>;
        async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Result<Dropped, StoreError>;
        async fn clear(&self, key: &ConversationKey) -> Result<Cleared, StoreError>;
        async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Result<bool, StoreError>;
        async fn list(&self, query: ListQuery) -> Result<ListPage, StoreError>;
        async fn probe(&self) -> Result<Probe, StoreError>;
        async fn repair(&self, key: &ConversationKey, repair: Repair) -> Result<RepairReport, StoreError>;
    }
}

/// A store that expects the first sweep, which finds nothing.
fn store() -> MockStore {
    let mut store = MockStore::new();
    store.expect_claim_pending().returning(|_| Ok(Claimed::default()));
    store
}

fn appended(append: &Append, next: u64) -> Appended {
    let messages = append.messages.iter().zip(next..).map(|(message, seq)| AppendedMessage {
        seq: Seq::new(seq).unwrap(),
        new: true,
        tally: Some(message.tally),
        fingerprint: Some(message.fingerprint),
    });
    let pending =
        append.messages.iter().filter(|message| message.tally.is_pending()).count() as u64;
    Appended {
        epoch: append.new_epoch,
        messages: messages.collect(),
        totals: Totals { pending, complete: true, ..Totals::EMPTY },
    }
}

fn lost(operation: &'static str) -> StoreError {
    StoreError::OutcomeUnknown { operation, source: "the connection was lost".into() }
}

#[tokio::test]
async fn an_append_is_one_call_and_its_batch_is_settled_in_one() {
    let mut store = store();
    store
        .expect_append()
        .times(1)
        .withf(|_, append| append.messages.len() == 3 && append.grace == Duration::from_secs(10))
        .returning(|_, append| Ok(appended(&append, 1)));
    let (settled, mut settles) = tokio::sync::mpsc::unbounded_channel();
    store.expect_settle().times(1..=3).returning(move |_, settle| {
        let applied = settle.settlements.len() as u64;
        settled.send(settle).unwrap();
        Ok(Settled { applied, skipped: 0, totals: Totals::EMPTY })
    });
    let memory = builder(store, Words::new("words")).build().await.unwrap();
    let messages = ["a", "a b", "a b c"].map(Message::user);
    let receipts = conversation(&memory, "c").append_many(messages).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    let mut tallies = Vec::new();
    while let Ok(settle) = settles.try_recv() {
        assert_eq!(settle.epoch, receipts[0].epoch);
        for one in settle.settlements {
            let receipt = receipts.iter().find(|receipt| receipt.seq == one.seq).unwrap();
            assert_eq!(one.expected, receipt.tally);
            tallies.push((one.seq.get(), one.tally.tokens));
        }
    }
    tallies.sort_unstable();
    assert_eq!(tallies, [(1, 5), (2, 6), (3, 7)]);
}

#[tokio::test]
async fn a_refused_append_is_passed_on_and_nothing_is_counted() {
    let mut store = store();
    store.expect_append().times(1).returning(|_, _| Err(lost("append")));
    let memory = builder(store, Words::new("words")).build().await.unwrap();
    memory.counting().warmed().await;
    let error = conversation(&memory, "c").append(Message::user("a")).await.unwrap_err();
    assert!(error.is_outcome_unknown() && !error.is_retryable(), "{error}");
    assert!(memory.settled(PATIENCE).await);
    assert_eq!(memory.counting().metrics().snapshot().submitted, 0);
}

#[tokio::test]
async fn a_settle_that_fails_is_left_to_the_sweep() {
    let mut store = store();
    store.expect_append().returning(|_, append| Ok(appended(&append, 1)));
    store.expect_settle().times(1).returning(|_, _| Err(lost("settle")));
    let memory = builder(store, Words::new("words")).build().await.unwrap();
    conversation(&memory, "c").append(Message::user("a")).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
}

#[tokio::test]
async fn an_answer_that_is_too_short_is_an_error_and_no_panic() {
    let mut store = store();
    store
        .expect_append()
        .returning(|_, append| Ok(Appended { messages: Vec::new(), ..appended(&append, 1) }));
    let memory = builder(store, Words::new("words")).build().await.unwrap();
    let error = conversation(&memory, "c").append(Message::user("a")).await.unwrap_err();
    assert!(matches!(error, MemoryError::Store(StoreError::DamagedConversation { .. })), "{error}");
    assert!(memory.settled(PATIENCE).await);
}

#[tokio::test]
async fn a_window_is_one_read() {
    let mut store = store();
    store
        .expect_read_window()
        .times(1)
        .withf(|_, query| query.budget == 500)
        .returning(|_, _| Ok(WindowRead::EMPTY));
    let memory = builder(store, Words::new("words")).build().await.unwrap();
    assert!(conversation(&memory, "c").window(500).await.unwrap().is_empty());
}

/// A store whose answers never come.
#[derive(Debug)]
struct Never;

/// Waits for what never comes.
async fn never<T>() -> Result<T, StoreError> {
    std::future::pending().await
}

#[async_trait]
impl MemoryStore for Never {
    fn capabilities(&self) -> Capabilities {
        Capabilities::minimal("never")
    }
    async fn append(&self, _: &ConversationKey, _: Append) -> Result<Appended, StoreError> {
        never().await
    }
    async fn settle(&self, _: &ConversationKey, _: Settle) -> Result<Settled, StoreError> {
        never().await
    }
    async fn read_window(
        &self,
        _: &ConversationKey,
        _: WindowQuery,
    ) -> Result<WindowRead, StoreError> {
        never().await
    }
    async fn page(&self, _: &ConversationKey, _: PageQuery) -> Result<Page, StoreError> {
        never().await
    }
    async fn totals(&self, _: &ConversationKey) -> Result<LedgerTotals, StoreError> {
        never().await
    }
    async fn set_counter(&self, _: &ConversationKey, _: &CounterId) -> Result<(), StoreError> {
        never().await
    }
    async fn pending(
        &self,
        _: &Namespace,
        _: Backlog,
        _: usize,
    ) -> Result<Vec<PendingConversation>, StoreError> {
        never().await
    }
    async fn claim_pending(&self, _: Claim) -> Result<Claimed, StoreError> {
        never().await
    }
    async fn trim(&self, _: &ConversationKey, _: Trim) -> Result<Trimmed, StoreError> {
        never().await
    }
    async fn drop_newest(&self, _: &ConversationKey, _: u64) -> Result<Dropped, StoreError> {
        never().await
    }
    async fn clear(&self, _: &ConversationKey) -> Result<Cleared, StoreError> {
        never().await
    }
    async fn expire(&self, _: &ConversationKey, _: Option<Timestamp>) -> Result<bool, StoreError> {
        never().await
    }
    async fn list(&self, _: ListQuery) -> Result<ListPage, StoreError> {
        never().await
    }
    async fn probe(&self) -> Result<Probe, StoreError> {
        never().await
    }
    async fn repair(&self, _: &ConversationKey, _: Repair) -> Result<RepairReport, StoreError> {
        never().await
    }
}

#[tokio::test(start_paused = true)]
async fn promise_10_every_operation_ends_by_its_deadline() {
    let memory = builder(Never, Words::new("words")).build().await.unwrap();
    let conversation = conversation(&memory, "c");
    let late = |error: MemoryError| {
        assert!(
            error.is_outcome_unknown()
                || matches!(error, MemoryError::Store(StoreError::DeadlineExceeded { .. })),
            "{error}"
        );
    };
    let start = tokio::time::Instant::now();
    late(conversation.append(Message::user("a")).await.unwrap_err());
    late(conversation.window(100).await.unwrap_err());
    late(conversation.page(None, 10).await.unwrap_err());
    late(conversation.totals().await.unwrap_err());
    late(conversation.drop_newest(1).await.unwrap_err());
    late(conversation.clear().await.unwrap_err());
    late(conversation.export().next().await.unwrap().unwrap_err());
    late(memory.list(None, 10).await.unwrap_err());
    late(memory.sweep().await.unwrap_err());
    late(conversation.settle(PATIENCE).await.unwrap_err());
    // Ten operations of ten seconds each, by the paused clock.
    assert_eq!(start.elapsed().as_secs(), 100);
    assert_eq!(memory.shutdown(PATIENCE).await.left_pending, 0);
}
