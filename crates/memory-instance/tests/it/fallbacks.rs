//! A counter that asks a service, and what its fallback has counted while that was down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use memory_core::{
    CountError, CounterId, FinalReason, Message, TallyState, TextCount, TokenCounter, Totals,
};
use memory_instance::{
    Conversation, CountPolicy, Memory, MemoryBuilder, MemoryError, Settling, SweepReport,
    WindowOptions,
};
use memory_testkit::model::ModelStore;

use crate::support::{PATIENCE, assert_exact, assert_sums, builder, conversation, memory};

const FALLBACK: TallyState = TallyState::Final(FinalReason::Fallback);

/// Counts words while it is up; otherwise a fallback counts twice as many. A text with `refuse!` is
/// always left to the fallback.
#[derive(Debug)]
struct Service {
    id: CounterId,
    up: AtomicBool,
    /// Whether it says of itself that it is down.
    tells: bool,
    bounded: bool,
    /// Whether it says once that it is down after a text that it has left to the fallback.
    pauses: bool,
    paused: AtomicBool,
    /// Texts that it was asked for while it was down.
    asked_in_vain: AtomicU64,
}

impl Service {
    fn new() -> Self {
        Self {
            id: CounterId::new("words").unwrap(),
            up: AtomicBool::new(false),
            tells: true,
            bounded: true,
            pauses: false,
            paused: AtomicBool::new(false),
            asked_in_vain: AtomicU64::new(0),
        }
    }

    fn silent(self) -> Self {
        Self { tells: false, ..self }
    }

    fn unbounded(self) -> Self {
        Self { bounded: false, ..self }
    }

    fn pausing(self) -> Self {
        Self { pauses: true, ..self }
    }

    fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }

    fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    fn asked_in_vain(&self) -> u64 {
        self.asked_in_vain.load(Ordering::SeqCst)
    }
}

impl TokenCounter for Service {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        self.count_text(text).map(|count| usize::try_from(count.tokens).unwrap())
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        let words = text.split_whitespace().count() as u64;
        if self.is_up() && !text.contains("refuse!") {
            return Ok(words.into());
        }
        self.asked_in_vain.fetch_add(1, Ordering::SeqCst);
        self.paused.store(self.pauses, Ordering::SeqCst);
        Ok(TextCount::by_fallback(words * 2))
    }

    fn is_answering(&self) -> bool {
        !self.paused.swap(false, Ordering::SeqCst) && (self.is_up() || !self.tells)
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.bounded.then_some(text.len())
    }
}

/// A memory on the service, which is not asked any more but for what a test does.
async fn memory_on(builder: MemoryBuilder) -> Memory {
    let memory = builder.build().await.unwrap();
    memory.counting().warmed().await;
    memory
}

async fn fill(conversation: &Conversation, messages: usize) {
    let messages = (1..=messages).map(|words| Message::user("word ".repeat(words % 50 + 1)));
    conversation.append_many(messages).await.unwrap();
}

async fn totals(conversation: &Conversation) -> Totals {
    conversation.totals().await.unwrap()
}

#[tokio::test]
async fn what_a_fallback_counted_is_counted_anew_once_the_service_answers() {
    let service = Arc::new(Service::new());
    let memory = memory_on(builder(ModelStore::default(), Arc::clone(&service))).await;
    let conversations = ["a", "b", "c"].map(|id| conversation(&memory, id));
    for conversation in &conversations {
        fill(conversation, 120).await;
    }
    assert!(memory.settled(PATIENCE).await);
    for conversation in &conversations {
        let totals = totals(conversation).await;
        assert_eq!((totals.pending, totals.fallback, totals.complete), (0, 120, true));
        let page = conversation.page(None, 1000).await.unwrap();
        assert!(page.entries.iter().all(|entry| entry.tally.unwrap().state == FALLBACK));
        assert_sums(conversation).await;
    }
    // As long as it says that it is down, it is not asked.
    let asked = service.asked_in_vain();
    assert_eq!(memory.sweep().await.unwrap(), SweepReport::default());
    assert_eq!(service.asked_in_vain(), asked);

    service.set_up(true);
    let report = memory.sweep().await.unwrap();
    assert_eq!((report.settled, report.recounted, report.left), (360, 360, 0));
    for conversation in &conversations {
        assert_exact(conversation).await;
        assert_eq!(totals(conversation).await.fallback, 0);
    }
    assert_eq!(memory.sweep().await.unwrap(), SweepReport::default());
}

#[tokio::test]
async fn a_service_that_is_down_without_a_word_is_asked_for_few_texts() {
    let service = Arc::new(Service::new().silent());
    let memory = memory_on(builder(ModelStore::default(), Arc::clone(&service))).await;
    for id in ["a", "b", "c"] {
        fill(&conversation(&memory, id), 200).await;
    }
    assert!(memory.settled(PATIENCE).await);
    // What the memory has begun by itself is over then.
    memory.sweep().await.unwrap();
    let asked = service.asked_in_vain();
    let report = memory.sweep().await.unwrap();
    assert_eq!((report.settled, report.left), (0, 3));
    // Each message has two texts, its role and its content.
    assert_eq!(service.asked_in_vain() - asked, 6);
    assert_eq!(totals(&conversation(&memory, "c")).await.fallback, 200);
}

#[tokio::test]
async fn a_message_that_the_service_refuses_holds_up_no_other() {
    let service = Arc::new(Service::new());
    let memory = memory_on(builder(ModelStore::default(), Arc::clone(&service))).await;
    let conversation = conversation(&memory, "c");
    conversation.append(Message::user("refuse! this")).await.unwrap();
    fill(&conversation, 400).await;
    conversation.append(Message::user("refuse! that")).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    service.set_up(true);
    let report = memory.sweep().await.unwrap();
    assert_eq!((report.recounted, report.left), (400, 2));
    assert_eq!(totals(&conversation).await.fallback, 2);
    assert_sums(&conversation).await;
}

#[tokio::test]
async fn the_memory_counts_anew_by_itself() {
    let service = Arc::new(Service::new());
    let memory = builder(ModelStore::default(), Arc::clone(&service))
        .sweep_interval(Duration::from_millis(1))
        .build()
        .await
        .unwrap();
    let conversation = conversation(&memory, "c");
    fill(&conversation, 300).await;
    assert!(memory.settled(PATIENCE).await);
    service.set_up(true);
    let recounted = async {
        while totals(&conversation).await.fallback > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, recounted).await.expect("a sweep finds what the fallback left");
    assert_exact(&conversation).await;
}

#[tokio::test]
async fn a_service_that_pauses_after_each_refusal_is_asked_for_other_messages_next() {
    let service = Arc::new(Service::new().pausing());
    let builder = builder(ModelStore::default(), Arc::clone(&service));
    // The first messages can be claimed again each time.
    let builder = builder.sweep_interval(Duration::from_millis(1)).lease(Duration::from_millis(1));
    let memory = memory_on(builder).await;
    let refused = conversation(&memory, "a");
    refused.append_many(["refuse! 1", "refuse! 2", "refuse! 3"].map(Message::user)).await.unwrap();
    let others = conversation(&memory, "b");
    fill(&others, 40).await;
    assert!(memory.settled(PATIENCE).await);
    service.set_up(true);
    let recounted = async {
        while totals(&others).await.fallback > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, recounted).await.expect("the others have their turn");
    assert_exact(&others).await;
    assert_eq!(totals(&refused).await.fallback, 3);
}

#[tokio::test]
async fn settling_a_conversation_counts_anew_too() {
    let service = Arc::new(Service::new());
    let memory = memory_on(builder(ModelStore::default(), Arc::clone(&service))).await;
    let conversation = conversation(&memory, "c");
    fill(&conversation, 300).await;
    let down = conversation.settle(PATIENCE).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    assert_eq!(down.pending, 0);
    service.set_up(true);
    let up = conversation.settle(PATIENCE).await.unwrap();
    assert_eq!((up.pending, up.fallback), (0, 0));
    assert_exact(&conversation).await;
}

#[tokio::test]
async fn an_append_that_counts_first_takes_what_the_fallback_counts() {
    let service = Arc::new(Service::new());
    let builder = builder(ModelStore::default(), Arc::clone(&service));
    let memory = memory_on(builder.count_policy(CountPolicy::Inline)).await;
    let conversation = conversation(&memory, "c");
    let receipt = conversation.append(Message::user("one two")).await.unwrap();
    assert_eq!(receipt.tally.unwrap().state, FALLBACK);
    assert_eq!(receipt.settling, Settling::NotNeeded);
    assert_eq!((receipt.totals.pending, receipt.totals.fallback), (0, 1));
    service.set_up(true);
    assert_eq!(memory.sweep().await.unwrap().recounted, 1);
    assert_exact(&conversation).await;
}

#[tokio::test]
async fn promise_4_a_window_trusts_no_fallback_unless_it_is_told_to() {
    for bounded in [true, false] {
        let service = Service::new();
        let service = Arc::new(if bounded { service } else { service.unbounded() });
        let memory = memory_on(builder(ModelStore::default(), Arc::clone(&service))).await;
        let conversation = conversation(&memory, "c");
        let texts = ["a b c d", "e f g h i j", "k"];
        conversation.append_many(texts.map(Message::user)).await.unwrap();
        assert!(memory.settled(PATIENCE).await);
        let asked = service.asked_in_vain();

        let fallback: u64 =
            3 + texts.map(|text| 3 + 2 + 2 * text.split(' ').count() as u64).iter().sum::<u64>();
        let trusting = WindowOptions::new(fallback).trust_fallback();
        let window = conversation.window_with(trusting).await.unwrap();
        assert_eq!((window.tokens, window.len(), window.charged_fallback), (fallback, 3, 3));
        let strict = conversation.window(1000).await;
        if bounded {
            let window = strict.unwrap();
            let bytes: u64 = 3 + texts.map(|text| 3 + 4 + text.len() as u64).iter().sum::<u64>();
            assert_eq!((window.tokens, window.charged_upper_bound), (bytes, 3));
        } else {
            let error = strict.unwrap_err();
            assert!(matches!(error, MemoryError::Uncounted { messages: 3, .. }), "{error:?}");
        }
        assert_eq!(service.asked_in_vain(), asked, "a service that is down was asked");

        service.set_up(true);
        for options in [WindowOptions::new(1000), WindowOptions::new(1000).trust_fallback()] {
            let window = conversation.window_with(options).await.unwrap();
            assert_eq!(window.tokens, 3 + 8 + 10 + 5);
            assert_eq!((window.charged_upper_bound, window.charged_fallback), (0, 0));
        }
    }
}

#[tokio::test]
async fn a_window_of_what_was_never_counted_trusts_no_fallback_either() {
    let service = Arc::new(Service::new().silent());
    let builder = builder(ModelStore::default(), Arc::clone(&service));
    let memory = memory_on(builder.queue_capacity(1)).await;
    let conversation = conversation(&memory, "c");
    fill(&conversation, 20).await;
    let window = conversation.window(100_000).await.unwrap();
    assert_eq!((window.len(), window.charged_upper_bound), (20, 20));
    let trusting = WindowOptions::new(100_000).trust_fallback();
    let window = conversation.window_with(trusting).await.unwrap();
    assert_eq!((window.charged_upper_bound, window.charged_fallback), (0, 20));
}

#[tokio::test]
async fn a_count_of_the_counter_itself_stays_when_the_service_is_down() {
    let memory = memory().await;
    let conversation = conversation(&memory, "c");
    fill(&conversation, 10).await;
    assert!(memory.settled(PATIENCE).await);
    let former = memory.swap_counter(Service::new()).await.unwrap();
    assert_eq!(former.tally_id(), &memory.tally_id());
    let totals = conversation.settle(PATIENCE).await.unwrap();
    assert_eq!((totals.pending, totals.fallback), (0, 0));
    assert_exact(&conversation).await;
}
