//! What the tests share.

use cache_redis::connection::{Value, from_redis_value};
use cache_redis::{PoolError, RedisPool, RedisSettings};

pub(crate) use crate::shared::{FOR_EVER, command, pool, settings_of, until, within};

/// The two ways to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Lane,
    Exclusive,
}

pub(crate) const WAYS: [Way; 2] = [Way::Lane, Way::Exclusive];

/// The settings for a server, with a pool of ten that connects as often as it likes.
pub(crate) fn settings(url: &str) -> RedisSettings {
    let mut settings = settings_of(&[("REDIS_URL", url), ("REDIS_POOL_SIZE", "10")]);
    settings.pool.max_idle = 10;
    settings.pool.connect_rate = 100_000;
    settings
}

/// Runs a command one way or the other; on a lane its second word is the key.
pub(crate) async fn run(pool: &RedisPool, way: Way, words: &[&str]) -> Result<Value, PoolError> {
    let command = command(words);
    match way {
        Way::Lane => pool.lane(words.get(1).unwrap_or(&"")).run(&command).await,
        Way::Exclusive => pool.get().await?.run(&command).await,
    }
}

/// Runs a command that succeeds, and reads its answer as a text.
pub(crate) async fn text(pool: &RedisPool, way: Way, words: &[&str]) -> String {
    match within(run(pool, way, words)).await {
        Ok(value) => from_redis_value(value).unwrap(),
        Err(error) => panic!("{way:?} {words:?}: {error}"),
    }
}

/// Opens a lane and so many exclusive connections, and leaves them idle.
pub(crate) async fn warm_up(pool: &RedisPool, count: usize) {
    // The lane first, or else it would take one of the others.
    assert_eq!(text(pool, Way::Lane, &["ECHO", "warm"]).await, "warm");
    let mut taken = Vec::new();
    for _ in 0..count {
        taken.push(within(pool.get()).await.unwrap());
    }
    drop(taken);
}
