//! Random histories, each answer compared with the model's, with crashes in between.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use memory_core::{ManualClock, Timestamp};
use memory_testkit::history::{self, Config, Reopen};
use memory_testkit::store::Subject;
use store_embedded::EmbeddedStore;
use support::Pages;

/// A store that can be killed.
struct Crashing {
    pages: Pages,
    clock: Arc<ManualClock>,
    store: Arc<EmbeddedStore>,
}

impl Crashing {
    async fn new() -> Self {
        let (pages, clock) = (Pages::default(), clock());
        let store = open(&pages, &clock).await;
        Self { pages, clock, store }
    }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp::from_millis(1_000)))
}

async fn open(pages: &Pages, clock: &Arc<ManualClock>) -> Arc<EmbeddedStore> {
    let builder = EmbeddedStore::builder().backend(pages.clone()).clock(clock.clone());
    Arc::new(builder.open_async().await.unwrap())
}

#[async_trait]
impl Reopen for Crashing {
    fn subject(&self) -> Subject {
        Subject::new(self.store.clone()).clock(self.clock.clone())
    }

    async fn reopen(&mut self) {
        self.pages = self.pages.after_a_kill();
        self.store = open(&self.pages, &self.clock).await;
    }
}

#[test]
fn histories_with_crashes_answer_as_the_model_does() {
    let config = Config { histories: 96, ..Config::default() }.overridden_by_environment().unwrap();
    history::run(&config, Crashing::new).unwrap();
}

#[test]
fn histories_without_crashes_answer_as_the_model_does() {
    let config = Config { histories: 96, ..Config::default() }.overridden_by_environment().unwrap();
    let subject = async || {
        let clock = clock();
        let builder = EmbeddedStore::builder().in_memory().clock(clock.clone());
        Subject::new(Arc::new(builder.open_async().await.unwrap())).clock(clock)
    };
    history::run(&config, subject).unwrap();
}
