//! Servers in each of the ways in which they can stand together.

use redis_testkit::{Cluster, RedisServer, Sentinels, ServerBuilder};
use store_redis::{RedisStore, RedisStoreBuilder};

use crate::pools::pool_of;

/// Servers, and how clients reach them.
#[expect(clippy::large_enum_variant, reason = "a test has one of them")]
pub(crate) enum Servers {
    One(RedisServer),
    Sentinels(Sentinels),
    Cluster(Cluster),
}

impl Servers {
    pub(crate) async fn one() -> Self {
        Self::One(RedisServer::builder().start().await.unwrap())
    }

    pub(crate) async fn sentinels(server: ServerBuilder) -> Self {
        Self::Sentinels(Sentinels::builder().server(server).start().await.unwrap())
    }

    pub(crate) async fn cluster(server: ServerBuilder) -> Self {
        Self::Cluster(Cluster::builder().server(server).start().await.unwrap())
    }

    /// A builder of a store with connections of its own, as another process has them.
    pub(crate) async fn builder(&self, more: &[(&str, &str)]) -> RedisStoreBuilder {
        let joined = |addresses: Vec<std::net::SocketAddr>| {
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        let variables = match self {
            Self::One(server) => vec![
                ("REDIS_HOST", server.address().ip().to_string()),
                ("REDIS_PORT", server.port().to_string()),
            ],
            Self::Sentinels(sentinels) => vec![
                ("REDIS_SENTINEL_NODES", joined(sentinels.addresses())),
                ("REDIS_SENTINEL_SERVICE", sentinels.service().to_owned()),
            ],
            Self::Cluster(cluster) => vec![("REDIS_CLUSTER_SEEDS", joined(cluster.addresses()))],
        };
        let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
        let variables: Vec<_> = variables.chain(more.iter().copied()).collect();
        RedisStore::builder(pool_of(&variables).await)
    }

    /// Has each master run a command.
    pub(crate) async fn command(&self, words: &[&str]) {
        let masters: Vec<&RedisServer> = match self {
            Self::One(server) => vec![server],
            Self::Sentinels(sentinels) => vec![sentinels.master().await.unwrap()],
            Self::Cluster(cluster) => cluster.nodes().iter().collect(),
        };
        for master in masters {
            if master.is_master().await.unwrap() {
                master.command(words).await.unwrap();
            }
        }
    }
}
