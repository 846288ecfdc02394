//! What happens when the storage fails: nothing is acknowledged that is not there.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::io::Error;
use std::ops::Bound;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;

use memory_core::{
    Append, Appended, ConversationId, ConversationKey, CounterId, MemoryStore, MemoryStoreExt,
    Namespace, StoreError, Tally,
};
use memory_testkit::sample;
use mockall::mock;
use store_embedded::EmbeddedStore;
use store_embedded::backend::{BackendError, StorageBackend};
use support::Pages;

mock! {
    #[derive(Debug)]
    Disk {}

    impl StorageBackend for Disk {
        fn len(&self) -> Result<u64, Error>;
        fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error>;
        fn set_len(&self, len: u64) -> Result<(), Error>;
        fn sync_data(&self) -> Result<(), Error>;
        fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error>;
        fn close(&self) -> Result<(), Error>;
        fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError>;
        fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError>;
    }
}

/// What the tests decide about a disk.
#[derive(Debug, Default)]
struct Plan {
    syncs: AtomicU64,
    writes: AtomicU64,
    fail_sync: AtomicBool,
    /// The write, counted from when this is set, that fails; 0 for none.
    fail_write: AtomicU64,
    on_close: Mutex<Option<mpsc::Sender<()>>>,
}

fn words() -> CounterId {
    CounterId::new("words").unwrap()
}

/// A disk in memory that fails as planned; `on_sync` is called in every sync.
fn disk(pages: &Pages, plan: &Arc<Plan>, on_sync: impl Fn() + Send + Sync + 'static) -> MockDisk {
    let mut disk = MockDisk::new();
    let own = pages.clone();
    disk.expect_len().returning(move || own.len());
    let own = pages.clone();
    disk.expect_read().returning(move |offset, out| own.read(offset, out));
    let own = pages.clone();
    disk.expect_set_len().returning(move |len| own.set_len(len));
    let (own, planned) = (pages.clone(), Arc::clone(plan));
    disk.expect_write().returning(move |offset, data| {
        let nth = planned.writes.fetch_add(1, Ordering::SeqCst) + 1;
        if nth == planned.fail_write.load(Ordering::SeqCst) {
            return Err(Error::from(std::io::ErrorKind::StorageFull));
        }
        own.write(offset, data)
    });
    let (own, planned) = (pages.clone(), Arc::clone(plan));
    disk.expect_sync_data().returning(move || {
        planned.syncs.fetch_add(1, Ordering::SeqCst);
        on_sync();
        if planned.fail_sync.load(Ordering::SeqCst) {
            return Err(Error::other("the disk is gone"));
        }
        own.sync_data()
    });
    let planned = Arc::clone(plan);
    disk.expect_close().returning(move || {
        if let Some(closed) = planned.on_close.lock().unwrap().take() {
            closed.send(()).unwrap();
        }
        Ok(())
    });
    disk.expect_try_lock_range().returning(|_, _| Err(BackendError::Unsupported));
    disk.expect_unlock_range().returning(|_, _| Err(BackendError::Unsupported));
    disk
}

fn key(id: &str) -> ConversationKey {
    ConversationKey::new(Namespace::default(), ConversationId::new(id).unwrap())
}

fn one(text: &str) -> Append {
    sample::batch(&words(), [sample::user(text, Tally::exact(1))])
}

async fn texts(store: &EmbeddedStore, key: &ConversationKey) -> Vec<String> {
    let counter = words();
    let (_, messages) = store.read_all(key, &counter).await.unwrap();
    messages.iter().map(|message| message.payload.to_string()).collect()
}

async fn open(disk: MockDisk) -> EmbeddedStore {
    EmbeddedStore::builder().backend(disk).open_async().await.unwrap()
}

#[tokio::test]
async fn a_failed_sync_is_never_acknowledged_and_poisons_the_store() {
    let (pages, plan) = (Pages::default(), Arc::new(Plan::default()));
    let store = open(disk(&pages, &plan, || ())).await;
    let key = key("a");
    store.append(&key, one("safe")).await.unwrap();
    plan.fail_sync.store(true, Ordering::SeqCst);
    let lost = store.append(&key, one("lost")).await.unwrap_err();
    assert!(matches!(lost, StoreError::OutcomeUnknown { operation: "append", .. }), "{lost:?}");
    assert!(lost.is_outcome_unknown() && !lost.is_retryable());
    plan.fail_sync.store(false, Ordering::SeqCst);
    let later = store.append(&key, one("later")).await.unwrap_err();
    assert!(matches!(later, StoreError::Poisoned), "{later:?}");
    let read = store.totals(&key).await.unwrap_err();
    assert!(matches!(read, StoreError::Poisoned), "{read:?}");
    store.close().await;
    let again = EmbeddedStore::builder().backend(pages.after_a_kill()).open_async().await.unwrap();
    let found = texts(&again, &key).await;
    assert!(found[0].contains("safe"), "{found:?}");
    assert!(found.len() <= 2 && found.iter().all(|text| !text.contains("later")), "{found:?}");
}

#[tokio::test]
async fn a_store_that_is_dropped_lets_go_of_its_storage_and_loses_nothing() {
    let (pages, plan) = (Pages::default(), Arc::new(Plan::default()));
    let (closed, is_closed) = mpsc::channel();
    *plan.on_close.lock().unwrap() = Some(closed);
    let store = open(disk(&pages, &plan, || ())).await;
    let key = key("a");
    store.append(&key, one("kept")).await.unwrap();
    let clone = store.clone();
    drop(store);
    clone.append(&key, one("kept too")).await.unwrap();
    drop(clone);
    is_closed.recv().unwrap();
    let again = EmbeddedStore::builder().backend(pages).open_async().await.unwrap();
    assert_eq!(texts(&again, &key).await.len(), 2);
}

#[tokio::test]
async fn wherever_a_write_fails_what_was_acknowledged_is_there_afterwards() {
    let mut failures = 0;
    for nth in 1..40 {
        let (pages, plan) = (Pages::default(), Arc::new(Plan::default()));
        let store = open(disk(&pages, &plan, || ())).await;
        let begun = plan.writes.load(Ordering::SeqCst);
        plan.fail_write.store(begun + nth, Ordering::SeqCst);
        let key = key("a");
        let mut acknowledged = 0;
        for index in 0..8 {
            match store.append(&key, one(&format!("message {index}"))).await {
                Ok(appended) => {
                    assert_eq!(acknowledged, index, "acknowledged after a failure");
                    acknowledged = appended.messages[0].seq.get();
                }
                Err(StoreError::Poisoned) => assert!(failures > 0),
                Err(error) => {
                    assert!(!error.is_retryable(), "{error:?}");
                    failures += 1;
                }
            }
        }
        store.close().await;
        let again =
            EmbeddedStore::builder().backend(pages.after_a_kill()).open_async().await.unwrap();
        let found = texts(&again, &key).await;
        let count = found.len() as u64;
        assert!(count == acknowledged || count == acknowledged + 1, "{count} of {acknowledged}");
        for (index, text) in found.iter().enumerate() {
            assert!(text.contains(&format!("message {index}")), "{text} at {index}");
        }
        let report = again.repair(&key, memory_core::Repair::Check).await.unwrap();
        assert_eq!(report.differences, []);
    }
    assert!(failures >= 30, "only {failures} of 39 planned failures came about");
}

/// Whether this is one of the threads that syncs are left to.
fn is_finisher() -> bool {
    let thread = std::thread::current();
    thread.name().is_some_and(|name| name.starts_with("turnledger-embedded-sync"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_write_fails_among_many_what_was_acknowledged_is_there_afterwards() {
    const CONVERSATIONS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
    let (left, mut failures) = (Arc::new(AtomicUsize::new(0)), 0);
    // Where other programs have the processors, few appends come while a sync is being done.
    for turn in 0..1000 {
        if turn >= 40 && failures >= 50 && left.load(Ordering::SeqCst) >= 10 {
            return;
        }
        let nth = 1 + 2 * (turn % 40);
        let (pages, plan) = (Pages::default(), Arc::new(Plan::default()));
        let noted = Arc::clone(&left);
        let on_sync = move || {
            noted.fetch_add(usize::from(is_finisher()), Ordering::SeqCst);
            // As on a disk, others come meanwhile: then the next sync is left.
            (0..20_000).for_each(|_| std::hint::spin_loop());
        };
        let store = open(disk(&pages, &plan, on_sync)).await;
        plan.fail_write.store(plan.writes.load(Ordering::SeqCst) + nth, Ordering::SeqCst);
        let writers = CONVERSATIONS.map(|id| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut acknowledged = 0;
                for index in 0..8 {
                    let append = one(&format!("message {index}"));
                    match store.append(&key(id), append).await {
                        Ok(appended) => acknowledged = appended.messages[0].seq.get(),
                        Err(_) => return (acknowledged, true),
                    }
                }
                (acknowledged, false)
            })
        });
        let mut acknowledged = Vec::new();
        for writer in writers {
            let (messages, failed) = writer.await.unwrap();
            acknowledged.push(messages);
            failures += usize::from(failed);
        }
        store.close().await;
        let again =
            EmbeddedStore::builder().backend(pages.after_a_kill()).open_async().await.unwrap();
        for (id, acknowledged) in CONVERSATIONS.into_iter().zip(acknowledged) {
            let found = texts(&again, &key(id)).await;
            let count = found.len() as u64;
            assert!(count == acknowledged || count == acknowledged + 1, "{count}, {acknowledged}");
            for (index, text) in found.iter().enumerate() {
                assert!(text.contains(&format!("message {index}")), "{text} at {index}");
            }
            let report = again.repair(&key(id), memory_core::Repair::Check).await.unwrap();
            assert_eq!(report.differences, []);
        }
    }
    panic!(
        "only {failures} appends failed, and only {} syncs were left",
        left.load(Ordering::SeqCst)
    );
}

/// A store whose next sync waits until it is let go.
struct Held {
    store: EmbeddedStore,
    pages: Pages,
    plan: Arc<Plan>,
    armed: Arc<AtomicBool>,
    /// For the next sync that is left to another thread.
    armed_left: Arc<AtomicBool>,
    entered: mpsc::Receiver<()>,
    release: mpsc::Sender<()>,
}

async fn held() -> Held {
    let (pages, plan) = (Pages::default(), Arc::new(Plan::default()));
    let armed = Arc::new(AtomicBool::new(false));
    let (enter, entered) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let released = Mutex::new(released);
    let is_armed = Arc::clone(&armed);
    let armed_left = Arc::new(AtomicBool::new(false));
    let is_armed_left = Arc::clone(&armed_left);
    let wait = move || {
        let waits = if is_finisher() { &is_armed_left } else { &is_armed };
        if waits.swap(false, Ordering::SeqCst) {
            enter.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
        }
    };
    let store = open(disk(&pages, &plan, wait)).await;
    Held { store, pages, plan, armed, armed_left, entered, release }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_committed_together_and_a_refusal_stays_alone() {
    let held = held().await;
    let known = sample::with_id(sample::user("known", Tally::exact(1)), "id");
    let counter = words();
    held.store.append(&key("0"), sample::batch(&counter, [known])).await.unwrap();
    held.armed.store(true, Ordering::SeqCst);
    let first = tokio::spawn({
        let store = held.store.clone();
        async move { store.append(&key("first"), one("first")).await }
    });
    held.entered.recv().unwrap();
    let before = held.plan.syncs.load(Ordering::SeqCst);
    // The writer is inside a commit: all of these wait for the next one.
    let other = sample::with_id(sample::user("other", Tally::exact(1)), "id");
    let mut waiting: Vec<_> = (0..100)
        .map(|index| {
            let append = match index {
                50 => sample::batch(&counter, [sample::user("x", Tally::exact(1)), other.clone()]),
                _ => one("waiting"),
            };
            let (store, key) = (held.store.clone(), key(&format!("{}", index % 10)));
            Box::pin(async move { store.append(&key, append).await })
        })
        .collect();
    for future in &mut waiting {
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(future.as_mut().poll(context).is_ready())
        });
        assert!(!polled.await, "acknowledged before its commit");
    }
    // One of them is given up before its turn.
    drop(waiting.remove(99));
    held.release.send(()).unwrap();
    first.await.unwrap().unwrap();
    for (index, future) in waiting.into_iter().enumerate() {
        match future.await {
            Ok(appended) => assert_eq!(appended.totals.messages, appended.messages[0].seq.get()),
            Err(StoreError::Conflict { .. }) => assert_eq!(index, 50),
            Err(error) => panic!("{error:?}"),
        }
    }
    let after = held.plan.syncs.load(Ordering::SeqCst);
    assert_eq!(after, before + 1, "syncs for a hundred waiting appends");
    for index in 0..10 {
        let totals = held.store.totals(&key(&index.to_string())).await.unwrap();
        // The refused one and the known one are both in 0; the one given up is in 9.
        let expected = if index == 9 { 9 } else { 10 };
        assert_eq!(totals.messages, expected, "messages of {index}");
    }
}

type Appending = Pin<Box<dyn Future<Output = Result<Appended, StoreError>> + Send>>;

/// Begins an append, as far as it goes without waiting: it is queued.
async fn begin(held: &Held, id: &'static str, append: Append) -> Appending {
    let store = held.store.clone();
    let mut future: Appending = Box::pin(async move { store.append(&key(id), append).await });
    let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
    assert!(polled.await.is_pending(), "{id} is acknowledged before its commit");
    future
}

/// Two appends, each in a transaction of its own: the first stands in its sync, which is not the
/// writer's affair any more, and the second waits for that.
async fn left(held: &Held) -> [Appending; 2] {
    held.armed.store(true, Ordering::SeqCst);
    let first = begin(held, "first", one("first")).await;
    held.entered.recv().unwrap();
    held.armed_left.store(true, Ordering::SeqCst);
    // So large that the writer takes nothing else into its transaction.
    let text = "x".repeat(1_000_000);
    let large = (0..9).map(|_| sample::user(&text, Tally::exact(1)));
    let large = begin(held, "large", sample::batch(&words(), large)).await;
    let small = begin(held, "small", one("small")).await;
    held.release.send(()).unwrap();
    first.await.unwrap();
    held.entered.recv().unwrap();
    [large, small]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_synced_yet_is_neither_acknowledged_nor_seen() {
    let held = held().await;
    let mut appends = left(&held).await;
    for append in &mut appends {
        let polled = std::future::poll_fn(|context| Poll::Ready(append.as_mut().poll(context)));
        assert!(polled.await.is_pending(), "acknowledged before its sync");
    }
    for (id, messages) in [("first", 1), ("large", 0), ("small", 0)] {
        let totals = held.store.totals(&key(id)).await.unwrap();
        assert_eq!(totals.messages, messages, "messages of {id}");
    }
    held.release.send(()).unwrap();
    for (append, (id, messages)) in appends.into_iter().zip([("large", 9), ("small", 1)]) {
        append.await.unwrap();
        let totals = held.store.totals(&key(id)).await.unwrap();
        assert_eq!(totals.messages, messages, "messages of {id}");
    }
    held.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_on_another_thread_fails_what_came_behind_it() {
    let held = held().await;
    let appends = left(&held).await;
    held.plan.fail_sync.store(true, Ordering::SeqCst);
    held.release.send(()).unwrap();
    let [large, small] = appends;
    let error = large.await.unwrap_err();
    assert!(matches!(error, StoreError::OutcomeUnknown { .. }), "{error:?}");
    // It stood before its commit, or in it, when it was told.
    let error = small.await.unwrap_err();
    let known = matches!(
        error,
        StoreError::OutcomeUnknown { .. } | StoreError::Backend { .. } | StoreError::Poisoned
    );
    assert!(known, "{error:?}");
    let read = held.store.totals(&key("first")).await.unwrap_err();
    assert!(matches!(read, StoreError::Poisoned), "{read:?}");
    held.store.close().await;
    let pages = held.pages.after_a_kill();
    let again = EmbeddedStore::builder().backend(pages).open_async().await.unwrap();
    // What came behind the sync that failed has not reached the storage.
    for (id, messages) in [("first", 1..=1), ("large", 0..=9), ("small", 0..=0)] {
        let found = again.totals(&key(id)).await.unwrap().messages;
        assert!(messages.contains(&found), "{found} messages of {id}");
    }
}
