//! Writers that go on whatever happens to the servers, and what must be true afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use memory_core::{
    Backlog, ConversationId, ConversationKey, CounterId, MemoryStore, MemoryStoreExt, Namespace,
    Repair, Seq, Settle, Settlement, StoreError, StoredMessage, Tally, Trim,
};
use memory_testkit::sample;
use store_redis::RedisStore;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// Longer than anything here takes; what hangs fails.
const LIMIT: Duration = Duration::from_mins(3);

/// Writers of each conversation.
const WRITERS: usize = 2;

/// Conversations.
pub(crate) const CONVERSATIONS: usize = 6;

/// Waits, but not for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("something hangs")
}

pub(crate) fn key(number: usize) -> ConversationKey {
    let id = ConversationId::new(format!("chat-{number}")).unwrap();
    ConversationKey::new(Namespace::default(), id)
}

/// What one writer was told.
#[derive(Debug, Default)]
struct Told {
    /// What was acknowledged, with its seq.
    sure: BTreeMap<String, u64>,
    /// What may be there or not: appends without ids whose answers were lost.
    unknown: Vec<String>,
}

/// Writers on several conversations, which append with and without ids, settle and trim.
pub(crate) struct Load {
    counter: CounterId,
    stop: Arc<AtomicBool>,
    done: Arc<Vec<AtomicUsize>>,
    /// Tells of each round that was done.
    round: Arc<Notify>,
    writers: Vec<(usize, JoinHandle<Told>)>,
}

impl Load {
    /// Starts writers, of each conversation one by each store, which are as processes.
    pub(crate) fn start(stores: &[Arc<RedisStore>; WRITERS]) -> Self {
        let counter = sample::counter("words");
        let (stop, round) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let done: Arc<Vec<_>> = Arc::new((0..CONVERSATIONS).map(|_| AtomicUsize::new(0)).collect());
        let places = (0..CONVERSATIONS).flat_map(|number| (0..WRITERS).map(move |of| (number, of)));
        let writers: Vec<_> = places
            .map(|(number, of)| {
                let writer = Writer {
                    store: Arc::clone(&stores[of]),
                    key: key(number),
                    counter: counter.clone(),
                    name: format!("{number} {of}"),
                };
                let (stop, done, round_done) = (stop.clone(), done.clone(), round.clone());
                let writing = tokio::spawn(async move {
                    let mut told = Told::default();
                    for round in 0.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        writer.round(round, &mut told).await;
                        done[number].fetch_add(1, Ordering::SeqCst);
                        round_done.notify_waiters();
                    }
                    told
                });
                (number, writing)
            })
            .collect();
        Self { counter, stop, done, round, writers }
    }

    /// Returns when so many more rounds were done, over all conversations.
    pub(crate) async fn goes_on(&self, rounds: usize) {
        let count = || self.done.iter().map(|done| done.load(Ordering::SeqCst)).sum::<usize>();
        let goal = count() + rounds;
        self.until(|| count() >= goal).await;
    }

    /// Returns when each conversation has gone on.
    pub(crate) async fn all_go_on(&self) {
        for done in self.done.iter() {
            let goal = done.load(Ordering::SeqCst) + WRITERS + 1;
            self.until(|| done.load(Ordering::SeqCst) >= goal).await;
        }
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        within(async {
            loop {
                let round = self.round.notified();
                if is_so() {
                    return;
                }
                round.await;
            }
        })
        .await;
    }

    /// Ends the writers and checks order, sums and indexes. Returns how many acknowledged messages
    /// are not there.
    pub(crate) async fn end(self, store: &RedisStore) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        let mut told: Vec<Vec<Told>> = (0..CONVERSATIONS).map(|_| Vec::new()).collect();
        for (number, writer) in self.writers {
            told[number].push(within(writer).await.unwrap());
        }
        let mut lost = 0;
        for (number, told) in told.iter().enumerate() {
            lost += check(store, &key(number), &self.counter, told).await;
        }
        let namespace = Namespace::default();
        for waiting in store.pending(&namespace, Backlog::Pending, 100).await.unwrap() {
            let totals = store.totals_under(&waiting.key, &self.counter).await.unwrap();
            assert_eq!(waiting.pending, totals.pending);
        }
        lost
    }
}

struct Writer {
    store: Arc<RedisStore>,
    key: ConversationKey,
    counter: CounterId,
    name: String,
}

impl Writer {
    async fn round(&self, round: usize, told: &mut Told) {
        let text = format!("{} {round}", self.name);
        let has_id = round.is_multiple_of(2);
        let message = || {
            let message = sample::user(text.as_str(), Tally::estimated(5));
            if has_id { sample::with_id(message, &text) } else { message }
        };
        let appended = loop {
            let batch = sample::batch(&self.counter, [message()]);
            match self.store.append(&self.key, batch).await {
                Ok(appended) => break appended,
                Err(error) if goes_on(&error) && (has_id || !error.is_outcome_unknown()) => {}
                Err(error) => {
                    assert!(error.is_outcome_unknown(), "{error:?}");
                    told.unknown.push(text);
                    return;
                }
            }
        };
        let answer = appended.messages[0];
        told.sure.insert(text, answer.seq.get());
        if let (Some(fingerprint), Some(tally)) = (answer.fingerprint, answer.tally) {
            let settlement = Settlement {
                seq: answer.seq,
                fingerprint,
                expected: Some(tally),
                tally: Tally::exact(9),
            };
            let settle = Settle {
                counter: self.counter.clone(),
                epoch: appended.epoch,
                settlements: vec![settlement],
            };
            while let Err(error) = self.store.settle(&self.key, settle.clone()).await {
                goes_on(&error);
            }
        }
        if round % 16 == 15 {
            let before = Seq::new(answer.seq.get().saturating_sub(30)).unwrap_or(Seq::FIRST);
            let trim = Trim { epoch: appended.epoch, before };
            while let Err(error) = self.store.trim(&self.key, trim).await {
                goes_on(&error);
            }
        }
    }
}

/// Whether an error is one that a caller may go on after.
fn goes_on(error: &StoreError) -> bool {
    assert!(error.is_retryable() || error.is_outcome_unknown(), "{error:?}");
    true
}

/// Checks that seqs follow each other and that sums and messages agree, and returns the messages.
pub(crate) async fn sound(
    store: &RedisStore,
    key: &ConversationKey,
    counter: &CounterId,
) -> Vec<StoredMessage> {
    let (_, messages) = store.read_all(key, counter).await.unwrap();
    let seqs: Vec<_> = messages.iter().map(|message| message.seq.get()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
    let totals = store.totals_under(key, counter).await.unwrap();
    let tokens: u64 = messages.iter().map(|message| message.tally.unwrap().tokens).sum();
    assert_eq!((totals.messages, totals.tokens), (messages.len() as u64, tokens));
    assert_eq!(store.repair(key, Repair::Check).await.unwrap().differences, []);
    messages
}

/// Checks one conversation; how many acknowledged messages it lacks.
async fn check(
    store: &RedisStore,
    key: &ConversationKey,
    counter: &CounterId,
    told: &[Told],
) -> usize {
    let messages = sound(store, key, counter).await;
    let mut places = BTreeMap::new();
    for message in &messages {
        let text = memory_core::Message::from_payload(message.payload.clone()).unwrap();
        let text = text.texts().last().unwrap().to_owned();
        let former = places.insert(text, message.seq.get());
        assert_eq!(former, None, "one is there twice");
    }
    let first = messages.first().map_or(0, |message| message.seq.get());
    let mut lost = 0;
    for told in told {
        for (text, seq) in &told.sure {
            // What was trimmed is gone rightly.
            lost += usize::from(places.remove(text) != Some(*seq) && *seq >= first);
        }
        for text in &told.unknown {
            places.remove(text);
        }
    }
    assert_eq!(places, BTreeMap::new(), "what nobody has appended");
    lost
}
