//! Random histories, each answer compared with the model's, with the process's memory lost in
//! between.

use std::sync::Arc;

use async_trait::async_trait;
use memory_testkit::history::{self, Config, Reopen};
use memory_testkit::store::Subject;
use redis_testkit::RedisServer;
use store_redis::RedisStore;

use crate::servers::Servers;

/// A process that ends and comes back, while its servers go on.
struct Restarting<'a> {
    servers: &'a Servers,
    store: Arc<RedisStore>,
}

impl<'a> Restarting<'a> {
    async fn new(servers: &'a Servers) -> Self {
        let builder = servers.builder(&[]).await;
        Self { servers, store: Arc::new(builder.connect().await.unwrap()) }
    }
}

#[async_trait]
impl Reopen for Restarting<'_> {
    fn subject(&self) -> Subject {
        Subject::new(self.store.clone())
    }

    async fn reopen(&mut self) {
        self.servers.command(&["SCRIPT", "FLUSH"]).await;
        *self = Self::new(self.servers).await;
    }
}

fn check(histories: u32, servers: impl Future<Output = Servers>) {
    let config = Config { histories, ..Config::default() }.overridden_by_environment().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let servers = runtime.block_on(servers);
    let make = async || {
        servers.command(&["FLUSHALL"]).await;
        Restarting::new(&servers).await
    };
    history::run(&config, make).unwrap();
}

#[test]
fn histories_on_one_server_answer_as_the_model_does() {
    check(48, Servers::one());
}

#[test]
fn histories_by_sentinel_answer_as_the_model_does() {
    check(24, Servers::sentinels(RedisServer::builder()));
}

#[test]
fn histories_on_a_cluster_answer_as_the_model_does() {
    check(24, Servers::cluster(RedisServer::builder()));
}
