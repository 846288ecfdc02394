//! Counters with a will of their own, and memories on the model store.

use std::error::Error;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use memory_core::{
    ConversationId, CountError, CounterId, Framing, MemoryStore, Message, Tally, TokenCounter,
};
use memory_instance::{Conversation, CountPolicy, Memory, MemoryBuilder};
use memory_testkit::model::ModelStore;

/// More than any of these tests takes; what would hang fails after it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Counts words, and does as the words in the text tell it.
///
/// `panic!` panics, `fail!` fails, `fail-twice!` fails the first two times, and `wait!` waits until
/// the gate is opened.
#[derive(Debug)]
pub(crate) struct Words {
    id: CounterId,
    bounded: bool,
    failures: AtomicU64,
    open: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
}

impl Words {
    pub(crate) fn new(id: &str) -> Self {
        Self {
            id: CounterId::new(id).unwrap(),
            bounded: true,
            failures: AtomicU64::new(0),
            open: Mutex::new(false),
            opened: Condvar::new(),
            waiting: AtomicUsize::new(0),
        }
    }

    pub(crate) fn unbounded(self) -> Self {
        Self { bounded: false, ..self }
    }

    pub(crate) fn opened(self) -> Self {
        self.open();
        self
    }

    /// Holds up from now on what is told to wait.
    pub(crate) fn close(&self) {
        *self.open.lock().unwrap() = false;
    }

    /// How many counts are held up.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Lets everything go on that waits, now and later.
    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

impl TokenCounter for Words {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let fail = |source: &str| {
            let source: Box<dyn Error + Send + Sync> = source.into();
            Err(CountError::Failed { counter: self.id.clone(), source })
        };
        if text.contains("wait!") {
            let open = self.open.lock().unwrap();
            self.waiting.fetch_add(1, Ordering::SeqCst);
            drop(self.opened.wait_while(open, |open| !*open).unwrap());
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        if text.contains("panic!") {
            // A panic without the hook, which would print each of them.
            std::panic::resume_unwind(Box::new("told to panic"));
        }
        if text.contains("fail!") {
            return fail("told to fail");
        }
        if text.contains("fail-twice!") && self.failures.fetch_add(1, Ordering::SeqCst) < 2 {
            return fail("told to fail twice");
        }
        Ok(text.split_whitespace().count())
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.bounded.then_some(text.len())
    }

    fn inline_safe(&self) -> bool {
        true
    }
}

/// The exact tally of a message under [`Words`].
pub(crate) fn exact(message: &Message) -> Tally {
    let words =
        |text: &str| Ok::<_, std::convert::Infallible>(text.split_whitespace().count() as u64);
    let Ok(tally) = Framing::openai_chat_1().tally(message, words);
    tally
}

/// A memory on `store`, whose sweeps come only when they are asked for, but for the first.
pub(crate) fn builder(store: impl MemoryStore, counter: impl TokenCounter) -> MemoryBuilder {
    Memory::builder()
        .store(store)
        .counter(counter)
        .workers(2)
        .sweep_interval(Duration::from_hours(1))
        .count_policy(CountPolicy::Background)
}

pub(crate) async fn memory() -> Memory {
    builder(ModelStore::default(), Words::new("words")).build().await.unwrap()
}

pub(crate) fn conversation(memory: &Memory, id: &str) -> Conversation {
    memory.conversation(ConversationId::new(id).unwrap())
}

/// Checks that every message is settled with its exact tally, and the sums are theirs.
pub(crate) async fn assert_exact(conversation: &Conversation) {
    let page = conversation.page(None, 1000).await.unwrap();
    for entry in &page.entries {
        assert_eq!(entry.tally, Some(exact(&entry.message)), "seq {}", entry.seq);
    }
    assert_sums(conversation).await;
    assert_eq!(page.totals.pending, 0);
}

/// Checks that the sums are those of the stored tallies.
pub(crate) async fn assert_sums(conversation: &Conversation) {
    let page = conversation.page(None, 1000).await.unwrap();
    let tallies: Vec<_> = page.entries.iter().filter_map(|entry| entry.tally).collect();
    let pending = page.entries.iter().filter(|entry| entry.tally.is_none_or(Tally::is_pending));
    assert_eq!(page.totals.messages, page.entries.len() as u64);
    assert_eq!(page.totals.tokens, tallies.iter().map(|tally| tally.tokens).sum::<u64>());
    assert_eq!(page.totals.pending, pending.count() as u64);
}

pub(crate) fn shared(counter: Words) -> Arc<Words> {
    Arc::new(counter)
}
