//! Servers of which one takes the place of another.

use fastrand::Rng;
use redis_testkit::{Cluster, RedisServer, Sentinels};

use crate::chaos::error::{ChaosError, Outcome};

/// How servers stand in for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sentinel,
    Cluster,
}

/// Servers that stand in for each other.
pub(super) enum Topology {
    Sentinel(Box<Sentinels>),
    Cluster(Box<Cluster>),
}

impl Topology {
    pub(super) async fn start(kind: Kind) -> Outcome<Self> {
        Ok(match kind {
            Kind::Sentinel => Self::Sentinel(Box::new(Sentinels::builder().start().await?)),
            Kind::Cluster => Self::Cluster(Box::new(Cluster::builder().start().await?)),
        })
    }

    pub(super) fn url(&self) -> String {
        let list = |addresses: Vec<std::net::SocketAddr>| {
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        };
        match self {
            Self::Sentinel(sentinels) => {
                let (nodes, service) = (list(sentinels.addresses()), sentinels.service());
                format!("redis-sentinel://{nodes}/{service}")
            }
            Self::Cluster(cluster) => format!("redis-cluster://{}", list(cluster.addresses())),
        }
    }

    /// The servers with data.
    pub(super) fn servers(&self) -> &[RedisServer] {
        match self {
            Self::Sentinel(sentinels) => sentinels.servers(),
            Self::Cluster(cluster) => cluster.nodes(),
        }
    }

    /// A replica takes the place of a master, which is killed or well. Returns when that is done,
    /// with the one that was killed.
    pub(super) async fn fail_over(
        &self,
        kills: bool,
        rng: &mut Rng,
    ) -> Outcome<Option<&RedisServer>> {
        match self {
            Self::Sentinel(sentinels) if kills => {
                let master = sentinels.master().await?;
                master.kill()?;
                sentinels.master_after(master).await?;
                Ok(Some(master))
            }
            Self::Sentinel(sentinels) => {
                sentinels.failover().await?;
                Ok(None)
            }
            Self::Cluster(cluster) => {
                let mut masters = Vec::new();
                for node in cluster.nodes() {
                    if node.is_master().await? {
                        masters.push(node);
                    }
                }
                let Some(master) = rng.choice(masters) else {
                    return Err(ChaosError::violation("a cluster has no master"));
                };
                if kills {
                    master.kill()?;
                    cluster.settled().await?;
                    return Ok(Some(master));
                }
                cluster.failover(master).await?;
                Ok(None)
            }
        }
    }

    /// Returns when all servers run and are linked to each other.
    pub(super) async fn settled(&self) -> Outcome<()> {
        match self {
            Self::Sentinel(sentinels) => sentinels.settled().await?,
            Self::Cluster(cluster) => cluster.settled().await?,
        }
        Ok(())
    }

    /// Forgets everything.
    pub(super) async fn clear(&self) -> Outcome<()> {
        for server in self.servers() {
            if server.is_master().await? {
                server.command(&["FLUSHALL"]).await?;
            }
        }
        Ok(())
    }
}
