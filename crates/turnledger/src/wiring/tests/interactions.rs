//! What the wiring makes a store and a counter see.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use layered_settings::Environment;
use memory_core::{
    Append, Appended, AppendedMessage, Backlog, Capabilities, Claim, Claimed, Cleared,
    ConversationId, ConversationKey, CountError, CounterId, Dropped, Epoch, LedgerTotals, ListPage,
    ListQuery, MemoryStore, Message, Namespace, Page, PageQuery, PendingConversation, Probe,
    Repair, RepairReport, Seq, Settle, Settled, StoreError, Tally, Timestamp, TokenCounter, Totals,
    Trim, Trimmed, WindowQuery, WindowRead,
};
use memory_instance::{Memory, MemoryError, Settling};
use mockall::mock;

use super::typed;
use crate::settings::{Sources, schema};
use crate::wiring::memory_builder;

mock! {
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

mock! {
    #[derive(Debug)]
    Counter {}

    impl TokenCounter for Counter {
        fn id(&self) -> &CounterId;
        fn count(&self, text: &str) -> Result<usize, CountError>;
        fn upper_bound(&self, text: &str) -> Option<usize>;
        fn inline_safe(&self) -> bool;
    }
}

mock! {
    Variables {}

    impl Environment for Variables {
        fn variable(&self, name: &str) -> Option<OsString>;
        fn names(&self) -> Vec<OsString>;
    }
}

/// A counter that finds 5 tokens in every text.
fn counter() -> MockCounter {
    let mut counter = MockCounter::new();
    counter.expect_id().return_const(CounterId::new("fives").unwrap());
    counter.expect_inline_safe().return_const(false);
    counter.expect_upper_bound().return_const(None);
    counter.expect_count().returning(|_| Ok(5));
    counter
}

/// A store that has nothing to sweep.
fn store() -> MockStore {
    let mut store = MockStore::new();
    store.expect_claim_pending().returning(|_| Ok(Claimed::default()));
    store
}

fn appended(append: &Append, pending: u64) -> Appended {
    let message = &append.messages[0];
    let (seq, tally) = (Seq::FIRST, Some(message.tally));
    let fingerprint = Some(message.fingerprint);
    Appended {
        epoch: append.new_epoch,
        messages: vec![AppendedMessage { seq, new: true, tally, fingerprint }],
        totals: Totals { messages: 1, tokens: message.tally.tokens, pending, ..Totals::EMPTY },
    }
}

async fn memory(policy: &str, store: MockStore, counter: MockCounter) -> Memory {
    let settings = typed(&[
        ("counter.policy", policy),
        ("memory.namespace", "tenant"),
        ("sweep.lease", "31s"),
        ("sweep.grace", "11s"),
    ]);
    memory_builder(&settings).store(store).counter(counter).build().await.unwrap()
}

fn conversation(memory: &Memory) -> memory_instance::Conversation {
    memory.conversation(ConversationId::new("c").unwrap())
}

/// The framing of a message, and 5 tokens each for its role and its content.
const EXACT: Tally = Tally::exact(3 + 5 + 5);

#[tokio::test]
async fn an_estimate_is_appended_and_a_count_settled_behind_it() {
    let mut store = store();
    let epoch: Arc<Mutex<Option<Epoch>>> = Arc::default();
    let begun = Arc::clone(&epoch);
    store
        .expect_append()
        .withf(|key, append| {
            key.to_string() == r#""c" in namespace "tenant""#
                && append.grace == Duration::from_secs(11)
                && append.messages.len() == 1
                && append.messages[0].tally.is_pending()
        })
        .once()
        .returning(move |_, append| {
            *begun.lock().unwrap() = Some(append.new_epoch);
            Ok(appended(&append, 1))
        });
    store
        .expect_settle()
        .withf(move |key, settle| {
            key.namespace.as_str() == "tenant"
                && Some(settle.epoch) == *epoch.lock().unwrap()
                && settle.settlements.len() == 1
                && settle.settlements[0].tally == EXACT
        })
        .once()
        .returning(|_, _| {
            let totals = Totals { messages: 1, tokens: EXACT.tokens, ..Totals::EMPTY };
            Ok(Settled { applied: 1, skipped: 0, totals })
        });

    let memory = memory("background", store, counter()).await;
    let receipt = conversation(&memory).append(Message::user("hello")).await.unwrap();
    assert_eq!(receipt.settling, Settling::Queued);
    assert!(memory.settled(Duration::from_secs(10)).await);
    memory.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn an_exact_count_is_appended_and_nothing_settled() {
    let mut store = store();
    store
        .expect_append()
        .withf(|_, append| append.messages[0].tally == EXACT)
        .once()
        .returning(|_, append| Ok(appended(&append, 0)));

    let memory = memory("inline", store, counter()).await;
    let receipt = conversation(&memory).append(Message::user("hello")).await.unwrap();
    assert_eq!((receipt.tally, receipt.settling), (Some(EXACT), Settling::NotNeeded));
    memory.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_sweep_claims_for_the_lease_and_under_the_counter() {
    let mut store = MockStore::new();
    let sees = |claim: &Claim| {
        claim.lease == Duration::from_secs(31) && claim.counter.as_str() == "fives/openai-chat-1"
    };
    store.expect_claim_pending().withf(sees).returning(|_| Ok(Claimed::default()));
    let memory = memory("background", store, counter()).await;
    // A call that the mock does not expect panics here, and not only in the background.
    let report = memory.sweep().await.unwrap();
    assert_eq!((report.settled, report.left), (0, 0));
}

#[tokio::test]
async fn a_counter_that_fails_before_the_write_leaves_the_store_alone() {
    let mut counter = MockCounter::new();
    let id = CounterId::new("fives").unwrap();
    counter.expect_id().return_const(id.clone());
    counter.expect_inline_safe().return_const(false);
    counter.expect_upper_bound().return_const(None);
    counter
        .expect_count()
        .returning(move |_| Err(CountError::Failed { counter: id.clone(), source: "no".into() }));

    let memory = memory("inline", store(), counter).await;
    let error = conversation(&memory).append(Message::user("hello")).await.unwrap_err();
    assert!(matches!(error, MemoryError::Count { .. }), "{error}");
    memory.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_failure_of_the_store_reaches_the_caller() {
    let mut store = store();
    store.expect_append().once().returning(|_, _| Err(StoreError::Poisoned));
    let memory = memory("inline", store, counter()).await;
    let error = conversation(&memory).append(Message::user("hello")).await.unwrap_err();
    assert!(matches!(error, MemoryError::Store(StoreError::Poisoned)), "{error}");
    memory.shutdown(Duration::from_secs(10)).await;
}

#[test]
fn the_environment_is_asked_for_each_setting_and_only_when_loading() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut variables = MockVariables::new();
    let log = Arc::clone(&asked);
    variables.expect_variable().returning(move |name| {
        log.lock().unwrap().push(name.to_owned());
        None
    });
    variables.expect_names().return_const(Vec::new());

    let sources = Sources::new().environment(variables);
    assert!(asked.lock().unwrap().is_empty());
    sources.load().unwrap();
    let asked = asked.lock().unwrap();
    let distinct: BTreeSet<_> = asked.iter().cloned().collect();
    let schema = schema();
    let expected = schema.settings().iter().flat_map(|setting| {
        let flat = setting.variables().iter().map(|name| (*name).to_owned());
        flat.chain([setting.prefixed_variable("TURNLEDGER")])
    });
    assert_eq!(distinct, expected.collect());
    assert_eq!(asked.len(), distinct.len());
}
