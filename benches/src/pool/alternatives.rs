//! The ways to send a command that are compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use cache_redis::connection::{Cmd, Value, cmd};
use cache_redis::{Loader, RedisPool, RedisSettings};
use deadpool_redis::{Config, Runtime as DeadpoolRuntime};
use redis::aio::MultiplexedConnection;
use redis_testkit::RedisServer;

use crate::ledger::Outcome;

/// Keys that the commands are spread over.
const KEYS: usize = 1000;
/// Bytes of a value.
const VALUE: usize = 200;
/// The most connections of a pool.
const CONNECTIONS: usize = 100;

/// A way to send a command.
#[derive(Clone)]
pub(super) enum Way {
    /// Over the lanes of our pool.
    Lane(RedisPool),
    /// Over an exclusive connection that is taken and given back each time.
    Exclusive(RedisPool),
    /// Over one connection that all share, without a pool.
    Bare(MultiplexedConnection),
    /// Over a pool that checks each connection as it is taken.
    Deadpool(deadpool_redis::Pool),
}

/// The server, and all ways to it.
pub(super) struct Alternatives {
    _server: RedisServer,
    pub(super) lane: Way,
    pub(super) exclusive: Way,
    pub(super) bare: Way,
    pub(super) deadpool: Way,
}

impl Alternatives {
    /// Starts the server and connects to it.
    pub(super) async fn new() -> Outcome<Self> {
        let server = RedisServer::builder().start().await?;
        let pool = RedisPool::builder(settings(&server.url())?).connect().await?;
        let bare = redis::Client::open(server.url())?.get_multiplexed_async_connection().await?;
        let deadpool = Config::from_url(server.url())
            .builder()?
            .max_size(CONNECTIONS)
            .runtime(DeadpoolRuntime::Tokio1)
            .build()?;
        let found = Self {
            _server: server,
            lane: Way::Lane(pool.clone()),
            exclusive: Way::Exclusive(pool),
            bare: Way::Bare(bare),
            deadpool: Way::Deadpool(deadpool),
        };
        for number in 0..KEYS {
            found.bare.send(&set(number), number).await?;
        }
        Ok(found)
    }
}

impl Way {
    /// Sends a command about a key.
    pub(super) async fn send(&self, command: &Cmd, key: usize) -> Outcome<Value> {
        Ok(match self {
            Self::Lane(pool) => pool.lane(key.to_le_bytes()).run(command).await?,
            Self::Exclusive(pool) => pool.get().await?.run(command).await?,
            Self::Bare(connection) => command.query_async(&mut connection.clone()).await?,
            Self::Deadpool(pool) => command.query_async(&mut pool.get().await?).await?,
        })
    }

    /// Commands a second with so many in flight.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    pub(super) async fn throughput(&self, in_flight: usize, count: usize) -> Outcome<f64> {
        let next = Arc::new(AtomicUsize::new(0));
        let begun = Instant::now();
        let callers: Vec<_> = (0..in_flight)
            .map(|_| {
                let (way, next) = (self.clone(), Arc::clone(&next));
                tokio::spawn(async move {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            return Outcome::Ok(());
                        }
                        way.send(&set(number), number % KEYS).await?;
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await??;
        }
        Ok(count as f64 / begun.elapsed().as_secs_f64())
    }
}

/// The settings of a pool with the defaults for everything but the address.
pub(crate) fn settings(url: &str) -> Outcome<RedisSettings> {
    let mut settings = Loader::new(RedisSettings::schema()).explicit("redis.url", url).build()?;
    Ok(RedisSettings::settle(&mut settings)?)
}

pub(super) fn get(number: usize) -> Cmd {
    let mut command = cmd("GET");
    command.arg(format!("key-{}", number % KEYS));
    command
}

fn set(number: usize) -> Cmd {
    let mut command = cmd("SET");
    command.arg(format!("key-{}", number % KEYS)).arg(&[b'x'; VALUE][..]);
    command
}
