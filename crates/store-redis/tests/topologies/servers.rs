//! Servers in each of the ways in which they can stand together, and stores on them.

use std::net::SocketAddr;
use std::sync::Arc;

use redis_testkit::{Cluster, RedisServer, Sentinels, ServerBuilder};
use store_redis::{RedisStore, RedisStoreBuilder};

use crate::pools::pool_of;

/// Servers that a store can be on.
pub(crate) trait Servers: Sync {
    /// Variables that say where they are.
    fn variables(&self) -> Vec<(&'static str, String)>;

    fn all(&self) -> Vec<&RedisServer>;
}

impl Servers for RedisServer {
    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("REDIS_HOST", self.address().ip().to_string()),
            ("REDIS_PORT", self.port().to_string()),
        ]
    }

    fn all(&self) -> Vec<&RedisServer> {
        vec![self]
    }
}

impl Servers for Sentinels {
    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("REDIS_SENTINEL_NODES", list(&self.addresses())),
            ("REDIS_SENTINEL_SERVICE", self.service().to_owned()),
        ]
    }

    fn all(&self) -> Vec<&RedisServer> {
        self.servers().iter().collect()
    }
}

impl Servers for Cluster {
    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("REDIS_CLUSTER_SEEDS", list(&self.addresses()))]
    }

    fn all(&self) -> Vec<&RedisServer> {
        self.nodes().iter().collect()
    }
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

pub(crate) async fn one() -> RedisServer {
    RedisServer::builder().start().await.unwrap()
}

pub(crate) async fn sentinels(server: ServerBuilder) -> Sentinels {
    Sentinels::builder().server(server).start().await.unwrap()
}

pub(crate) async fn cluster(server: ServerBuilder) -> Cluster {
    Cluster::builder().server(server).start().await.unwrap()
}

/// A builder of a store with connections of its own, as another process has them, and more
/// variables.
pub(crate) async fn builder(servers: &impl Servers, more: &[(&str, &str)]) -> RedisStoreBuilder {
    let variables = servers.variables();
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
    let variables: Vec<_> = variables.chain(more.iter().copied()).collect();
    RedisStore::builder(pool_of(&variables).await)
}

/// A store as another process has it.
pub(crate) async fn open(servers: &impl Servers) -> Arc<RedisStore> {
    Arc::new(builder(servers, &[]).await.connect().await.unwrap())
}

/// Stores of two processes.
pub(crate) async fn open_two(servers: &impl Servers) -> [Arc<RedisStore>; 2] {
    [open(servers).await, open(servers).await]
}

/// Has each master run a command.
pub(crate) async fn command(servers: &impl Servers, words: &[&str]) {
    for server in servers.all() {
        if server.is_master().await.unwrap() {
            server.command(words).await.unwrap();
        }
    }
}
