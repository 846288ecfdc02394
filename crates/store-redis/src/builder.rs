//! How a store is opened.

use std::sync::Arc;
use std::time::Duration;

use cache_redis::RedisPool;
use memory_core::{Limits, StoreError};

use crate::client::{Client, REPLICAS_WITHIN};
use crate::counters::Counters;
use crate::error::{Fault, RedisStoreError, cannot_open};
use crate::inner::Inner;
use crate::keys::Prefix;
use crate::known::Known;
use crate::schema::{self, Schema};
use crate::server_time::ServerTime;
use crate::store::RedisStore;

/// What all keys begin with where nothing else is said.
const PREFIX: &str = "turnledger:";

/// Conversations that a store remembers something of, at least. About 150 bytes each.
const REMEMBERED: usize = 32_768;

/// Says how a store is opened; see [`RedisStore::builder`].
#[derive(Debug)]
#[must_use]
pub struct RedisStoreBuilder {
    pool: RedisPool,
    prefix: String,
    time_to_live: Option<Duration>,
    refreshes_on_read: bool,
    wait_replicas: u32,
    limits: Limits,
}

impl RedisStoreBuilder {
    pub(crate) fn new(pool: RedisPool) -> Self {
        Self {
            pool,
            prefix: PREFIX.to_owned(),
            time_to_live: None,
            refreshes_on_read: false,
            wait_replicas: 0,
            limits: Limits::default(),
        }
    }

    /// What all keys begin with (default `turnledger:`), without `{` and `}`.
    ///
    /// Stores with different prefixes on one server know nothing of each other.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long a conversation lives (default: for ever), in whole milliseconds from 1 to 2^50.
    ///
    /// It ends between three quarters of that time and all of it after its last append: the time is
    /// set anew by the first append after a quarter of it has gone, so that most appends need not
    /// pay for that. All keys of a conversation end at the same moment.
    pub fn time_to_live(mut self, time_to_live: Option<Duration>) -> Self {
        self.time_to_live = time_to_live;
        self
    }

    /// Whether reads of windows and pages put the end off as appends do (default: no).
    ///
    /// A read that comes after a quarter of the time has gone, and the first one of a process, pays
    /// one round trip more for that; a failure of it is not told. An end that was taken away stays
    /// away.
    pub fn refresh_on_read(mut self, refreshes: bool) -> Self {
        self.refreshes_on_read = refreshes;
        self
    }

    /// How many replicas must have an append before it is acknowledged (default: 0, none).
    ///
    /// Each append is then a script with a `WAIT` behind it, of at most 1 s, which must be less
    /// than the pool's response time-out. Nobody else is served by its connection meanwhile, so
    /// that a connection carries about one append in the time that a replica takes to answer.
    ///
    /// Where fewer have it by then, the append is [`StoreError::OutcomeUnknown`] with
    /// [`RedisStoreError::Replicas`] as its source: it is on the master, and is lost if that fails
    /// before replicas have it. One whose messages all have callers' ids is repeated for 5 s, and
    /// acknowledged as soon as they have it.
    ///
    /// This narrows what a fail-over loses and does not rule it out: a replica may be promoted that
    /// was not among those that answered. Settles, trims and all else do not wait: a settle that is
    /// lost is made good by the next sweep.
    pub fn wait_replicas(mut self, replicas: u32) -> Self {
        self.wait_replicas = replicas;
        self
    }

    /// The bounds on input (default: [`Limits::default`]). Ids have at most 65,535 bytes whatever
    /// the limit says.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Opens the store: checks the server's version and the stored format, and writes the format
    /// where there is none. Nothing else is written.
    ///
    /// # Errors
    ///
    /// - [`StoreError::UnknownFormat`] where another version of Turnledger wrote what is there.
    /// - [`StoreError::Damaged`] where the schema key holds something else.
    /// - [`StoreError::Backend`] with a [`RedisStoreError`] as its source where the server is older
    ///   than 7.0, the prefix has a brace, or waits for replicas may take longer than answers may,
    ///   and with a [`PoolError`](cache_redis::PoolError) where the server cannot be reached or
    ///   refuses.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the schema key behind at most.
    pub async fn connect(self) -> Result<RedisStore, StoreError> {
        let Self { pool, prefix, time_to_live, refreshes_on_read, wait_replicas, limits } = self;
        let prefix = Prefix::new(&prefix).ok_or_else(|| cannot_open(RedisStoreError::Prefix))?;
        let response_timeout = pool.response_timeout();
        if wait_replicas > 0 && response_timeout <= REPLICAS_WITHIN {
            let waits = REPLICAS_WITHIN;
            return Err(cannot_open(RedisStoreError::ResponseTimeout { response_timeout, waits }));
        }
        let client = Client { pool };
        let opened = async {
            schema::check_version(&client).await?;
            let generation = client.pool.generation();
            let digests = schema::check_format(&client, &prefix, None).await?;
            let schema = Schema::new(digests, generation);
            Ok::<_, Fault>((schema, schema::time(&client).await?))
        };
        let (schema, now) = opened.await.map_err(|fault| fault.explain_harmless("open", None))?;
        let most = limits.id_bytes.min(usize::from(u16::MAX));
        let inner = Inner {
            counters: Counters::new(prefix.counters()),
            known: Known::new(REMEMBERED),
            time: ServerTime::new(now),
            limits: Limits { id_bytes: most, ..limits },
            client,
            prefix,
            schema,
            time_to_live,
            refreshes_on_read,
            wait_replicas,
        };
        Ok(RedisStore::new(Arc::new(inner)))
    }
}
