//! Random histories, each answer compared with the model's, with the process's memory lost in
//! between.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use memory_testkit::history::{self, Config, Reopen};
use memory_testkit::store::Subject;
use redis_testkit::RedisServer;
use store_redis::RedisStore;
use support::{server, store};

/// A process that ends and comes back, while its server goes on.
struct Restarting<'a> {
    server: &'a RedisServer,
    store: Arc<RedisStore>,
}

#[async_trait]
impl Reopen for Restarting<'_> {
    fn subject(&self) -> Subject {
        Subject::new(self.store.clone())
    }

    async fn reopen(&mut self) {
        self.server.command(&["SCRIPT", "FLUSH"]).await.unwrap();
        self.store = store(self.server).await;
    }
}

#[test]
fn histories_answer_as_the_model_does() {
    let config = Config { histories: 48, ..Config::default() }.overridden_by_environment().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(server());
    let make = async || {
        server.command(&["FLUSHALL"]).await.unwrap();
        Restarting { server: &server, store: store(&server).await }
    };
    history::run(&config, make).unwrap();
}
