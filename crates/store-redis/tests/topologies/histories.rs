//! Random histories, each answer compared with the model's, with the process's memory lost in
//! between.

use std::sync::Arc;

use async_trait::async_trait;
use memory_testkit::history::{self, Config, Reopen};
use memory_testkit::store::Subject;
use redis_testkit::RedisServer;
use store_redis::RedisStore;

use crate::servers::{self, Servers};

/// A process that ends and comes back, while its servers go on.
struct Restarting<'a, S> {
    servers: &'a S,
    store: Arc<RedisStore>,
}

impl<'a, S: Servers> Restarting<'a, S> {
    async fn new(servers: &'a S) -> Self {
        Self { servers, store: servers::open(servers).await }
    }
}

#[async_trait]
impl<S: Servers> Reopen for Restarting<'_, S> {
    fn subject(&self) -> Subject {
        Subject::new(self.store.clone())
    }

    async fn reopen(&mut self) {
        servers::command(self.servers, &["SCRIPT", "FLUSH"]).await;
        *self = Self::new(self.servers).await;
    }
}

fn check(histories: u32, servers: impl Future<Output = impl Servers>) {
    let config = Config { histories, ..Config::default() }.overridden_by_environment().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let servers = runtime.block_on(servers);
    let make = async || {
        servers::command(&servers, &["FLUSHALL"]).await;
        Restarting::new(&servers).await
    };
    history::run(&config, make).unwrap();
}

#[test]
fn histories_on_one_server_answer_as_the_model_does() {
    check(48, servers::one());
}

#[test]
fn histories_by_sentinel_answer_as_the_model_does() {
    check(24, servers::sentinels(RedisServer::builder()));
}

#[test]
fn histories_on_a_cluster_answer_as_the_model_does() {
    check(24, servers::cluster(RedisServer::builder()));
}
