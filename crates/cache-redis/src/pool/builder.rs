//! From settings to a pool.

use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::reaper;
use super::redis_pool::RedisPool;
use super::shared::{Servers, Shared};
use crate::cluster::Cluster;
use crate::connect::{self, NodeDialer, SentinelDialer};
use crate::connection::{Dialer, Login};
use crate::{PoolError, RedisSettings, Topology};

/// What a pool is made of.
#[must_use = "a builder does nothing until `build` is called"]
pub struct RedisPoolBuilder {
    name: String,
    settings: RedisSettings,
    dialer: Option<Box<dyn Dialer>>,
}

impl RedisPoolBuilder {
    pub(super) fn new(settings: RedisSettings) -> Self {
        Self { name: "default".to_owned(), settings, dialer: None }
    }

    /// Names the pool: its metrics carry the name as their label `pool`, `default` otherwise. Where
    /// a process has several pools, each ought to have a name of its own, the same in every run.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Opens connections by other means than the address of the settings, to one server whatever
    /// topology they name: nobody asks whether it is a master, or who has which slot. Login, bounds
    /// and deadlines of the settings hold; their TLS is up to the dialer.
    pub fn dialer(mut self, dialer: impl Dialer) -> Self {
        self.dialer = Some(Box::new(dialer));
        self
    }

    /// Makes the pool, without waiting for a server: the first connections are made by those who
    /// need them, and `redis.pool.min_idle` in the background.
    ///
    /// # Errors
    ///
    /// [`PoolError::Setting`] for bounds that were changed out of their ranges,
    /// [`PoolError::TlsFile`] and [`PoolError::Tls`] for certificates that cannot be used, and
    /// [`PoolError::NoRuntime`] outside a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn build(self) -> Result<RedisPool, PoolError> {
        let Self { name, settings, dialer } = self;
        settings.pool.check()?;
        Handle::try_current().map_err(|_| PoolError::NoRuntime)?;
        let must_be_master = matches!(settings.topology, Topology::Sentinel { .. });
        let login = Login::new(&settings, must_be_master && dialer.is_none());
        let bounds = settings.pool.clone();
        let servers = match dialer {
            Some(dialer) => Servers::One(dialer),
            None => servers_of(settings).await?,
        };
        let shared = Shared::new(&name, bounds, servers, login);
        reaper::start(&shared);
        Ok(RedisPool::new(shared))
    }

    /// Makes the pool, and its first connection: an error comes now and not with the first use.
    ///
    /// In a cluster that is one connection to each node that owns slots.
    ///
    /// # Errors
    ///
    /// As for [`build`](Self::build) and for [`RedisPool::get`]; [`PoolError::ClusterSize`] where
    /// `redis.pool.size` is less than the nodes of the cluster.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn connect(self) -> Result<RedisPool, PoolError> {
        let pool = self.build().await?;
        pool.reach_all().await?;
        Ok(pool)
    }
}

impl fmt::Debug for RedisPoolBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisPoolBuilder")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

async fn servers_of(settings: RedisSettings) -> Result<Servers, PoolError> {
    let tls = match settings.tls {
        None => None,
        Some(tls) => {
            // Files are read, so it is done where that holds up nobody.
            let connector = spawn_blocking(move || connect::connector(&tls)).await;
            Some(connector.map_err(|error| PoolError::Tls { source: error.into() })??)
        }
    };
    match settings.topology {
        Topology::Single(node) => {
            let patience = settings.pool.connect_timeout;
            Ok(Servers::One(Box::new(NodeDialer::new(node, tls, patience))))
        }
        Topology::Sentinel { service, sentinels, credentials } => {
            Ok(Servers::One(Box::new(SentinelDialer {
                service,
                sentinels,
                credentials,
                tls,
                patience: settings.pool.connect_timeout,
                reached: Mutex::default(),
            })))
        }
        Topology::Cluster { seeds } => Ok(Servers::Cluster(Arc::new(Cluster::new(seeds, tls)))),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn without_a_runtime_there_is_an_error_and_no_panic() {
        let building = pin!(RedisPool::builder(RedisSettings::default()).build());
        let polled = building.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(PoolError::NoRuntime))));
    }
}
