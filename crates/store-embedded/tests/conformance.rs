//! The store keeps the contract, in memory and on a file with either durability.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::sync::Arc;

use memory_core::{ManualClock, Timestamp};
use memory_testkit::store::{self, Subject};
use store_embedded::{Durability, EmbeddedStore, EmbeddedStoreBuilder};

/// Runs the suite on one store with a clock that is turned, and on one with the machine's.
async fn conforms(builder: impl Fn(&str) -> EmbeddedStoreBuilder) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
    let turned = Arc::new(builder("turned").clock(clock.clone()).open_async().await.unwrap());
    store::all(async || Subject::new(turned.clone()).clock(clock.clone())).await.unwrap();
    turned.close().await;
    let own = Arc::new(builder("own").open_async().await.unwrap());
    store::all(async || Subject::new(own.clone())).await.unwrap();
    own.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_memory() {
    conforms(|_| EmbeddedStore::builder().in_memory()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_shortest_queue() {
    conforms(|_| EmbeddedStore::builder().in_memory().queue(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_synced_file() {
    let directory = tempfile::tempdir().unwrap();
    conforms(|name| EmbeddedStore::builder().path(directory.path().join(name))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_relaxed_file() {
    let directory = tempfile::tempdir().unwrap();
    let builder = |name: &str| {
        let path = directory.path().join(name);
        EmbeddedStore::builder().path(path).durability(Durability::Relaxed)
    };
    conforms(builder).await;
}

#[test]
fn without_a_runtime() {
    let store = Arc::new(EmbeddedStore::builder().in_memory().open().unwrap());
    futures_executor(store::all(async || Subject::new(store.clone()))).unwrap();
    futures_executor(store.close());
}

/// Waits for a future on this thread alone.
fn futures_executor<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = std::task::Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

struct Unpark(std::thread::Thread);

impl std::task::Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
