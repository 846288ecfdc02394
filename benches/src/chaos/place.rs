//! Where a store is.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cache_redis::{Loader, RedisPool, RedisSettings};
use memory_core::MemoryStore;
use serde::{Deserialize, Serialize};
use store_embedded::{Durability, EmbeddedStore};
use store_redis::RedisStore;

use super::error::Outcome;

/// Where a store is, so that every process can open it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Place {
    /// In a file, each acknowledgement synced or not.
    Embedded { path: PathBuf, synced: bool },
    /// On Redis.
    Redis(Server),
}

/// How servers are reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Server {
    url: String,
    /// The longest wait for an answer, and for a connection.
    patience: Duration,
    /// The most sockets.
    sockets: usize,
}

/// A store that is open.
pub(super) struct Opened {
    pub(super) store: Arc<dyn MemoryStore>,
    closing: Closing,
}

enum Closing {
    Embedded(EmbeddedStore),
    Redis(RedisPool),
}

impl Place {
    pub(super) async fn open(&self) -> Outcome<Opened> {
        match self {
            Self::Embedded { path, synced } => {
                let durability = if *synced { Durability::Sync } else { Durability::Relaxed };
                let builder = EmbeddedStore::builder().path(path).durability(durability);
                let store = builder.open_async().await?;
                Ok(Opened { store: Arc::new(store.clone()), closing: Closing::Embedded(store) })
            }
            Self::Redis(server) => server.open().await,
        }
    }
}

impl Server {
    /// Servers that are given time: whatever is late then is a failure.
    pub(super) fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), patience: Duration::from_secs(20), sockets: 12 }
    }

    /// Waits so long for a connection and for an answer at the most.
    pub(super) fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Has so many sockets at the most.
    pub(super) fn sockets(self, sockets: usize) -> Self {
        Self { sockets, ..self }
    }

    pub(super) async fn open(&self) -> Outcome<Opened> {
        let mut settings =
            Loader::new(RedisSettings::schema()).explicit("redis.url", &*self.url).build()?;
        let mut settings = RedisSettings::settle(&mut settings)?;
        // A few sockets, so that commands of many writers share one; and no brake on connecting
        // again, since a run does little else.
        settings.pool.size = self.sockets;
        settings.pool.connect_rate = 10_000;
        settings.pool.timeout = self.patience;
        settings.pool.connect_timeout = self.patience;
        settings.pool.response_timeout = self.patience;
        let pool = RedisPool::builder(settings).build().await?;
        let store = RedisStore::builder(pool.clone()).connect().await?;
        Ok(Opened { store: Arc::new(store), closing: Closing::Redis(pool) })
    }
}

impl Opened {
    pub(super) async fn close(self) -> Outcome<()> {
        match self.closing {
            Closing::Embedded(store) => store.close().await,
            // What somebody still holds is closed all the same.
            Closing::Redis(pool) => drop(pool.close().await),
        }
        Ok(())
    }
}
