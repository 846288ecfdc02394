//! A provider behind the counting pool, with a fallback.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use memory_core::{
    CountError, CounterId, FinalReason, Message, RemoteCounter, Tally, TextCount, TokenCounter,
};
use tokens::{AsyncTokenCounter, BlockingCounter, BpeCounter, Fallback, ProviderCounter};

use crate::server::{Reply, Server};

const DEADLINE: Duration = Duration::from_mins(1);

/// A provider on this machine, and a counter that asks it and falls back to an encoding.
async fn provider(is_up: &Arc<AtomicBool>) -> (Server, Arc<Fallback>) {
    let up = Arc::clone(is_up);
    let server = Server::start(move |seen| {
        if up.load(Ordering::SeqCst) { Reply::anthropic(seen) } else { Reply::status(503, "") }
    })
    .await;
    let counter = ProviderCounter::anthropic("m", "key")
        .base_url(&server.url)
        .pauses(Duration::ZERO, Duration::ZERO)
        .build()
        .unwrap();
    let remote = BlockingCounter::new(Arc::new(counter)).unwrap();
    let counter = Fallback::new(Arc::new(remote), Arc::new(BpeCounter::o200k_base()));
    (server, Arc::new(counter))
}

#[tokio::test]
async fn the_pool_counts_with_it_and_falls_back_while_it_is_down() {
    let is_up = Arc::new(AtomicBool::new(true));
    let (server, counter) = provider(&is_up).await;
    let shared: Arc<dyn TokenCounter> = Arc::<Fallback>::clone(&counter);
    let pool = AsyncTokenCounter::builder(shared).workers(4).warm_up(false).build().unwrap();
    let message = Message::user("Hello, world!");
    // One token for each character, by the provider; four, by the fallback.
    let exact = Tally::exact(3 + 4 + 13);
    assert_eq!(pool.tally(&message, DEADLINE).await.unwrap(), exact);
    assert!(counter.is_answering());

    is_up.store(false, Ordering::SeqCst);
    let fallback = Tally::final_because(3 + 1 + 4, FinalReason::Fallback);
    assert_eq!(pool.tally(&message, DEADLINE).await.unwrap(), fallback);
    assert!(!counter.is_answering());
    assert_eq!(pool.count_inline(&message, DEADLINE), None);

    is_up.store(true, Ordering::SeqCst);
    assert_eq!(pool.tally(&message, DEADLINE).await.unwrap(), exact);
    assert!(counter.is_answering());
    assert_eq!(pool.shutdown(DEADLINE).await.left, 0);
    drop((counter, server));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_ask_side_by_side() {
    let is_up = Arc::new(AtomicBool::new(true));
    let (_server, counter) = provider(&is_up).await;
    let counts: Vec<_> = (1..=20)
        .map(|length| {
            let counter = Arc::clone(&counter);
            tokio::task::spawn_blocking(move || counter.count_text(&"x".repeat(length)).unwrap())
        })
        .collect();
    for (length, count) in (1_u64..).zip(counts) {
        assert_eq!(count.await.unwrap(), TextCount::from(length));
    }
}

/// Counts bytes, and panics at a word.
#[derive(Debug)]
struct Panics(CounterId);

#[async_trait]
impl RemoteCounter for Panics {
    fn id(&self) -> &CounterId {
        &self.0
    }

    async fn count(&self, text: &str) -> Result<usize, CountError> {
        assert_ne!(text, "panic", "a panic on purpose");
        Ok(text.len())
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        Some(text.len())
    }
}

#[test]
fn a_panic_costs_one_count() {
    let counter =
        BlockingCounter::new(Arc::new(Panics(CounterId::new("panics").unwrap()))).unwrap();
    assert!(matches!(counter.count("panic"), Err(CountError::Panicked { .. })));
    assert_eq!(counter.count("four").unwrap(), 4);
    assert_eq!((counter.id().as_str(), counter.upper_bound("four")), ("panics", Some(4)));
    assert!(!counter.inline_safe() && !counter.is_cpu_bound());
}

#[test]
fn the_contract_of_counters_is_kept() {
    #[derive(Debug)]
    struct Bytes(CounterId);

    #[async_trait]
    impl RemoteCounter for Bytes {
        fn id(&self) -> &CounterId {
            &self.0
        }

        async fn count(&self, text: &str) -> Result<usize, CountError> {
            tokio::task::yield_now().await;
            Ok(text.len())
        }
    }

    let counter = BlockingCounter::new(Arc::new(Bytes(CounterId::new("bytes").unwrap()))).unwrap();
    memory_testkit::counter::all(&counter).unwrap();
}
