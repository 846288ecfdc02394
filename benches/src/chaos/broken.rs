//! A store that breaks its promises, so that the harness is seen to notice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fastrand::Rng;
use memory_core::{
    Append, Appended, Backlog, Capabilities, Claim, Claimed, Cleared, ConversationKey, CounterId,
    Dropped, LedgerTotals, ListPage, ListQuery, MemoryStore, Namespace, Page, PageQuery,
    PendingConversation, Probe, Repair, RepairReport, Settle, Settled, StoreError, Tally,
    TallyState, Timestamp, Trim, Trimmed, WindowQuery, WindowRead,
};
use memory_instance::CountPolicy;
use store_embedded::EmbeddedStore;

use super::content::Counting;
use super::error::{ChaosError, Outcome};
use super::expect::{Crowd, Expected, Faults, Lost, observe_at_rest, settle};
use super::session::{Layout, Session, Sweeping};

/// Which promise is broken, now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// None.
    Nothing,
    /// What was acknowledged is lost.
    Durability,
    /// A message is there twice.
    Idempotence,
    /// A count is stored that is none.
    Exactness,
    /// A trim removes more than it says.
    Trim,
}

#[derive(Debug)]
struct Broken {
    store: EmbeddedStore,
    breaks: Break,
    calls: AtomicU64,
}

impl Broken {
    fn now(&self, breaks: Break) -> bool {
        self.breaks == breaks && self.calls.fetch_add(1, Ordering::Relaxed) % 11 == 10
    }
}

type Answer<T> = Result<T, StoreError>;

#[async_trait]
impl MemoryStore for Broken {
    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn append(&self, key: &ConversationKey, append: Append) -> Answer<Appended> {
        let has_ids = append.messages.iter().any(|message| message.id.is_some());
        if !has_ids && self.now(Break::Idempotence) {
            self.store.append(key, append.clone()).await?;
        }
        let appended = self.store.append(key, append).await?;
        if self.now(Break::Durability) {
            self.store.drop_newest(key, 1).await?;
        }
        Ok(appended)
    }

    async fn settle(&self, key: &ConversationKey, mut settle: Settle) -> Answer<Settled> {
        if self.now(Break::Exactness) {
            for settlement in &mut settle.settlements {
                if settlement.tally.state == TallyState::Exact {
                    settlement.tally = Tally::exact(settlement.tally.tokens + 1);
                }
            }
        }
        self.store.settle(key, settle).await
    }

    async fn read_window(&self, key: &ConversationKey, query: WindowQuery) -> Answer<WindowRead> {
        self.store.read_window(key, query).await
    }

    async fn page(&self, key: &ConversationKey, query: PageQuery) -> Answer<Page> {
        self.store.page(key, query).await
    }

    async fn totals(&self, key: &ConversationKey) -> Answer<LedgerTotals> {
        self.store.totals(key).await
    }

    async fn set_counter(&self, key: &ConversationKey, counter: &CounterId) -> Answer<()> {
        self.store.set_counter(key, counter).await
    }

    async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Answer<()> {
        self.store.recount(namespace, counter).await
    }

    async fn pending(
        &self,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Answer<Vec<PendingConversation>> {
        self.store.pending(namespace, backlog, limit).await
    }

    async fn claim_pending(&self, claim: Claim) -> Answer<Claimed> {
        self.store.claim_pending(claim).await
    }

    async fn trim(&self, key: &ConversationKey, trim: Trim) -> Answer<Trimmed> {
        let trimmed = self.store.trim(key, trim).await?;
        if trimmed.removed > 0 && self.breaks == Break::Trim {
            self.store.drop_newest(key, 1).await?;
        }
        Ok(trimmed)
    }

    async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Answer<Dropped> {
        self.store.drop_newest(key, count).await
    }

    async fn clear(&self, key: &ConversationKey) -> Answer<Cleared> {
        self.store.clear(key).await
    }

    async fn expire(&self, key: &ConversationKey, at: Option<Timestamp>) -> Answer<bool> {
        self.store.expire(key, at).await
    }

    async fn list(&self, query: ListQuery) -> Answer<ListPage> {
        self.store.list(query).await
    }

    async fn probe(&self) -> Answer<Probe> {
        self.store.probe().await
    }

    async fn repair(&self, key: &ConversationKey, repair: Repair) -> Answer<RepairReport> {
        self.store.repair(key, repair).await
    }
}

const SEED: u64 = 3;
const COUNTING: Counting = Counting::Hash;

/// Lets writers write to a store that breaks a promise, and looks as every part of a run does.
async fn run(breaks: Break, layout: Layout, may_lose: bool) -> Outcome<()> {
    let store = EmbeddedStore::builder().in_memory().open_async().await?;
    let broken = Arc::new(Broken { store, breaks, calls: AtomicU64::new(0) });
    let store: Arc<dyn MemoryStore> = broken;
    let session = Session {
        policy: CountPolicy::Background.as_str().to_owned(),
        sweeping: Some(Sweeping { interval: 10, lease: 20, grace: 10 }),
        operations: Some(60),
        layout: layout.clone(),
        ..Session::draw(SEED, 1, COUNTING, &mut Rng::with_seed(SEED))
    };
    let conversations = layout.conversations(0);
    let is_crowd = matches!(layout, Layout::Crowd { .. });
    let crowd = Mutex::new(Crowd::new(SEED, COUNTING, may_lose));
    let expected = Expected::new(SEED, COUNTING, Faults::None, &conversations);
    let expected = Mutex::new(expected);
    let note = |record| {
        if is_crowd {
            crowd.lock().unwrap().note(record)
        } else {
            expected.lock().unwrap().note(record)
        }
    };
    let memory = session.memory(Arc::clone(&store), COUNTING.counter()).await?;
    session.write_on(&memory, &false.into(), &note).await?;
    memory.settled(std::time::Duration::from_secs(30)).await;
    memory.shutdown(std::time::Duration::from_secs(30)).await;
    let observed = observe_at_rest(&*store, &COUNTING.tally_id(), &conversations).await?;
    if is_crowd {
        crowd.lock().unwrap().finish(&observed)?;
    } else {
        expected.lock().unwrap().resolve(&observed, Lost::Nothing)?;
    }
    let contents = super::content::Contents::new(SEED, COUNTING);
    settle(&store, COUNTING, &contents, &conversations).await
}

async fn check(breaks: Break, layout: Layout, may_lose: bool) {
    match run(breaks, layout, may_lose).await {
        Ok(()) => assert_eq!(breaks, Break::Nothing, "nobody noticed"),
        Err(ChaosError::Violation { detail }) => assert_ne!(breaks, Break::Nothing, "{detail}"),
        Err(error) => panic!("{error:?}"),
    }
}

fn own() -> Layout {
    Layout::Own { own: 4, sharing: 3 }
}

fn crowd(conversation: u16) -> Layout {
    Layout::Crowd { writers: 6, conversations: vec![conversation] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_by_themselves_notice_what_is_broken() {
    let all =
        [Break::Nothing, Break::Durability, Break::Idempotence, Break::Exactness, Break::Trim];
    for breaks in all {
        check(breaks, own(), false).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_notices_what_is_broken() {
    // A wrong count may be trimmed away before anyone looks.
    for breaks in [Break::Nothing, Break::Durability, Break::Idempotence, Break::Trim] {
        check(breaks, crowd(1), false).await;
    }
    // Where messages may be lost, they may be neither twice there nor wrong.
    for breaks in [Break::Nothing, Break::Idempotence, Break::Exactness] {
        check(breaks, crowd(0), true).await;
    }
}
