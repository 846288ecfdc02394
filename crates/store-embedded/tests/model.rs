//! Long conversations, many blocks deep, answer as the model does.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use memory_core::{
    Append, Backlog, Claim, ConversationId, ConversationKey, CounterId, Epoch, FinalReason,
    Fingerprint, ListQuery, ManualClock, MemoryStore, MemoryStoreExt, Message, MessageId,
    Namespace, NewMessage, PageQuery, Repair, Seq, Settle, Settlement, Tally, Timestamp, ToolCall,
    Trim, WindowQuery,
};
use memory_testkit::model::ModelStore;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use store_embedded::EmbeddedStore;
use support::Pages;

/// What is done to both stores.
#[derive(Debug, Clone)]
enum Step {
    Append { conversation: u8, counter: u8, kinds: Vec<u8>, ids: bool },
    Settle { conversation: u8, counter: u8, from: u64, count: u64, twice: bool },
    Trim { conversation: u8, before: u64 },
    Drop { conversation: u8, count: u64 },
    SetCounter { conversation: u8, counter: u8 },
    Clear { conversation: u8 },
    Expire { conversation: u8, after: Option<u8> },
    Pass { milliseconds: u8 },
    Recount { counter: u8 },
    Claim { counter: u8, fallbacks: bool, limit: usize, only: Option<u8> },
    Crash,
}

fn any_step() -> impl Strategy<Value = Step> {
    let conversation = || 0..2_u8;
    let counter = || 0..2_u8;
    let kinds = proptest::collection::vec(0..7_u8, 0..90);
    prop_oneof![
        8 => (conversation(), counter(), kinds, any::<bool>()).prop_map(
            |(conversation, counter, kinds, ids)| Step::Append { conversation, counter, kinds, ids }
        ),
        4 => (conversation(), counter(), 0..100_u64, 0..40_u64, any::<bool>()).prop_map(
            |(conversation, counter, from, count, twice)| {
                Step::Settle { conversation, counter, from, count, twice }
            }
        ),
        3 => (conversation(), 1..200_u64)
            .prop_map(|(conversation, before)| Step::Trim { conversation, before }),
        3 => (conversation(), 0..70_u64)
            .prop_map(|(conversation, count)| Step::Drop { conversation, count }),
        1 => (conversation(), counter())
            .prop_map(|(conversation, counter)| Step::SetCounter { conversation, counter }),
        1 => conversation().prop_map(|conversation| Step::Clear { conversation }),
        1 => (conversation(), any::<Option<u8>>())
            .prop_map(|(conversation, after)| Step::Expire { conversation, after }),
        1 => any::<u8>().prop_map(|milliseconds| Step::Pass { milliseconds }),
        1 => counter().prop_map(|counter| Step::Recount { counter }),
        6 => (counter(), any::<bool>(), 1..100_usize, proptest::option::of(conversation()))
            .prop_map(|(counter, fallbacks, limit, only)| {
                Step::Claim { counter, fallbacks, limit, only }
            }),
        1 => Just(Step::Crash),
    ]
}

fn key(conversation: u8) -> ConversationKey {
    let id = ConversationId::new(format!("conversation {conversation}")).unwrap();
    ConversationKey::new(Namespace::default(), id)
}

fn counter(number: u8) -> CounterId {
    CounterId::new(format!("counter {number}")).unwrap()
}

fn message(kind: u8, text: &str) -> Message {
    match kind {
        0 => Message::system(text),
        1 | 2 => Message::user(text),
        3 => Message::assistant(text),
        4 => Message::assistant_calling([ToolCall::function("c", "f", "{}")]),
        _ => Message::tool("c", text),
    }
}

/// Both stores, and what the steps need.
struct Pair {
    model: ModelStore,
    store: EmbeddedStore,
    clock: Arc<ManualClock>,
    pages: Pages,
    nonce: u128,
}

fn open(pages: &Pages, clock: &Arc<ManualClock>) -> EmbeddedStore {
    EmbeddedStore::builder().backend(pages.clone()).clock(clock.clone()).open().unwrap()
}

impl Pair {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000)));
        let pages = Pages::default();
        let store = open(&pages, &clock);
        let model = ModelStore::new(clock.clone());
        Self { model, store, clock, pages, nonce: 0 }
    }

    /// Opens what a kill would leave behind now.
    fn crash(&mut self) {
        self.pages = self.pages.after_a_kill();
        self.store = open(&self.pages, &self.clock);
        // Nobody holds a lease of a process that is gone; the model's own are let run out.
        self.clock.advance(Duration::from_millis(LEASE + 1));
    }

    fn batch(&mut self, number: u8, kinds: &[u8], ids: bool) -> Append {
        let mut new = |(index, kind): (usize, &u8)| {
            self.nonce += 1;
            // Few texts, so that ids come again with the same content and with another.
            let text = format!("text {}", index % 5);
            let tally = match self.nonce % 5 {
                0 | 1 => Tally::exact(7),
                2 => Tally::final_because(u64::from(*kind) * 2, FinalReason::Fallback),
                _ => Tally::estimated(u64::from(*kind) * 3),
            };
            let fingerprint = Fingerprint::from_random(self.nonce * 0x9e37_79b9_7f4a_7c15);
            let mut new = NewMessage::new(&message(*kind, &text), fingerprint, tally);
            if ids {
                new.id = Some(MessageId::new(format!("id {index} {kind}")).unwrap());
            }
            new
        };
        let messages = kinds.iter().enumerate().map(&mut new).collect();
        let grace = Duration::from_millis((self.nonce % 2) as u64 * 50);
        let new_epoch = Epoch::from_random(self.nonce * 0x1234_5678_9abc_def1);
        Append { counter: counter(number), new_epoch, messages, grace }
    }

    async fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Append { conversation, counter, kinds, ids } => {
                let batch = self.batch(*counter, kinds, *ids);
                let expected = self.model.append(&key(*conversation), batch.clone()).await;
                let found = self.store.append(&key(*conversation), batch).await;
                same(found, expected)?;
            }
            Step::Settle { conversation, counter: number, from, count, twice } => {
                let key = key(*conversation);
                let query = PageQuery {
                    counter: counter(*number),
                    after: Seq::new(*from),
                    limit: usize::try_from(*count).unwrap().max(1),
                };
                let page = self.model.page(&key, query).await.unwrap();
                let settlement = |message: &memory_core::StoredMessage| Settlement {
                    seq: message.seq,
                    fingerprint: message.fingerprint,
                    expected: message.tally,
                    tally: match message.seq.get() % 7 {
                        0 => Tally::final_because(5, FinalReason::Fallback),
                        _ => Tally::exact(message.seq.get() % 11),
                    },
                };
                let settlements: Vec<_> =
                    page.messages.iter().map(settlement).step_by(1 + usize::from(*twice)).collect();
                let epoch = page.epoch.unwrap_or_else(|| Epoch::from_random(1));
                let settle = Settle { counter: counter(*number), epoch, settlements };
                for _ in 0..=u8::from(*twice) {
                    let expected = self.model.settle(&key, settle.clone()).await;
                    same(self.store.settle(&key, settle.clone()).await, expected)?;
                }
            }
            Step::Trim { conversation, before } => {
                let key = key(*conversation);
                let epoch = self.model.totals(&key).await.unwrap().epoch;
                let epoch = epoch.unwrap_or_else(|| Epoch::from_random(1));
                let trim = Trim { epoch, before: Seq::new(*before).unwrap() };
                let expected = self.model.trim(&key, trim).await;
                same(self.store.trim(&key, trim).await, expected)?;
            }
            Step::Drop { conversation, count } => {
                let expected = self.model.drop_newest(&key(*conversation), *count).await;
                same(self.store.drop_newest(&key(*conversation), *count).await, expected)?;
            }
            Step::SetCounter { conversation, counter: number } => {
                let expected = self.model.set_counter(&key(*conversation), &counter(*number)).await;
                let found = self.store.set_counter(&key(*conversation), &counter(*number)).await;
                same(found, expected)?;
            }
            Step::Clear { conversation } => {
                let expected = self.model.clear(&key(*conversation)).await;
                same(self.store.clear(&key(*conversation)).await, expected)?;
            }
            Step::Expire { conversation, after } => {
                let now = memory_core::Clock::now(&*self.clock);
                let at = after.map(|after| now.after(Duration::from_millis(after.into())));
                let expected = self.model.expire(&key(*conversation), at).await;
                same(self.store.expire(&key(*conversation), at).await, expected)?;
            }
            Step::Pass { milliseconds } => {
                self.clock.advance(Duration::from_millis((*milliseconds).into()));
            }
            Step::Recount { counter: number } => {
                let namespace = Namespace::default();
                let expected = self.model.recount(&namespace, &counter(*number)).await;
                same(self.store.recount(&namespace, &counter(*number)).await, expected)?;
            }
            Step::Claim { counter: number, fallbacks, limit, only } => {
                let claim = Claim {
                    counter: counter(*number),
                    backlog: if *fallbacks { Backlog::Fallback } else { Backlog::Pending },
                    only: only.map(key),
                    after: only.and_then(|only| Seq::new(u64::from(only) * 20)),
                    lease: Duration::from_millis(LEASE),
                    limit: *limit,
                };
                let expected = self.model.claim_pending(claim.clone()).await;
                same(self.store.claim_pending(claim).await, expected)?;
            }
            Step::Crash => self.crash(),
        }
        Ok(())
    }

    /// Compares every answer that reads.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let (store, model) = (&self.store, &self.model);
        let namespace = Namespace::default();
        for backlog in Backlog::ALL {
            let expected = model.pending(&namespace, backlog, 9).await;
            same(store.pending(&namespace, backlog, 9).await, expected)?;
        }
        let list = ListQuery { namespace, after: None, limit: 9 };
        same(store.list(list.clone()).await, model.list(list).await)?;
        for key in [key(0), key(1)] {
            same(store.totals(&key).await, model.totals(&key).await)?;
            for counter in [counter(0), counter(1), counter(9)] {
                same(store.read_all(&key, &counter).await, model.read_all(&key, &counter).await)?;
                for budget in [0, 100, 100_000] {
                    let query = WindowQuery { counter: counter.clone(), budget };
                    let expected = model.read_window(&key, query.clone()).await.unwrap();
                    let mut found = store.read_window(&key, query).await.unwrap();
                    if !expected.totals.complete {
                        // What another counter says may make the tail shorter than the model's.
                        prop_assert!(expected.tail.ends_with(&found.tail));
                        found.tail.clone_from(&expected.tail);
                        found.reached_start = expected.reached_start;
                    }
                    prop_assert_eq!(found, expected);
                }
                let query = PageQuery { counter, after: Seq::new(31), limit: 35 };
                same(store.page(&key, query.clone()).await, model.page(&key, query).await)?;
            }
            let report = store.repair(&key, Repair::Check).await.unwrap();
            prop_assert_eq!(report.differences, []);
        }
        Ok(())
    }
}

const LEASE: u64 = 100;

fn same<T: std::fmt::Debug + PartialEq>(
    found: Result<T, memory_core::StoreError>,
    expected: Result<T, memory_core::StoreError>,
) -> Result<(), TestCaseError> {
    match (found, expected) {
        (Ok(found), Ok(expected)) => prop_assert_eq!(found, expected),
        // Errors have no equality; their words name what they are about.
        (Err(found), Err(expected)) => prop_assert_eq!(found.to_string(), expected.to_string()),
        (found, expected) => prop_assert!(false, "{found:?} instead of {expected:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn long_conversations_answer_as_the_model_does(
        steps in proptest::collection::vec(any_step(), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::new();
            for step in &steps {
                pair.take(step).await?;
                pair.compare().await?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
