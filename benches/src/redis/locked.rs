//! The original design: each append takes a lock, counts, appends, looks at the time to live, and
//! gives the lock back.

use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::{Config, Pool, Runtime};
use memory_core::{Message, TokenCounter};
use memory_testkit::sample;
use redis::cmd;
use redis_testkit::RedisServer;
use tokens::BpeCounter;

use super::load::Way;
use crate::ledger::Outcome;

/// The most connections.
const CONNECTIONS: usize = 100;
/// How long a lock holds that nobody gives back.
const LOCK_MILLISECONDS: u64 = 30_000;
/// How long a conversation lives.
const LIVES_MILLISECONDS: u64 = 24 * 60 * 60 * 1000;
/// The first and the longest wait for a lock that another one has.
const WAITS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];
/// Gives a lock back, unless it is another one's by now.
const UNLOCK: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
                      return redis.call('DEL', KEYS[1]) end return 0";

/// The keys of a conversation.
struct Keys {
    messages: String,
    lock: String,
}

/// Appends as the original did.
#[derive(Clone)]
pub(super) struct Locked {
    pool: Pool,
    counter: Arc<BpeCounter>,
    keys: Arc<[Keys]>,
    messages: Arc<[Message]>,
    unlock: Arc<str>,
}

impl Locked {
    /// Appends to so many conversations, of these messages in turn.
    pub(super) async fn new(
        server: &RedisServer,
        name: &str,
        conversations: usize,
        messages: Arc<[Message]>,
    ) -> Outcome<Self> {
        let pool = Config::from_url(server.url())
            .builder()?
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .build()?;
        let keys = (0..conversations).map(|number| Keys {
            messages: format!("memory:{name}-{number:04}"),
            lock: format!("lock:memory:{name}-{number:04}"),
        });
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(UNLOCK);
        let unlock: String = load.query_async(&mut pool.get().await?).await?;
        Ok(Self {
            pool,
            counter: Arc::new(BpeCounter::o200k_base()),
            keys: keys.collect(),
            messages,
            unlock: unlock.into(),
        })
    }
}

impl Way for Locked {
    async fn append(&self, number: usize) -> Outcome<()> {
        let Keys { messages, lock } = &self.keys[number % self.keys.len()];
        let message = &self.messages[number % self.messages.len()];
        let token = sample::epoch();
        let mut connection = self.pool.get().await?;
        let mut wait = WAITS[0];
        loop {
            let mut take = cmd("SET");
            take.arg(lock).arg(token.as_str()).arg("NX").arg("PX").arg(LOCK_MILLISECONDS);
            if take.query_async::<Option<String>>(&mut connection).await?.is_some() {
                break;
            }
            // Scattered, so that those who wait do not come all at once.
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            wait = (wait * 2).min(WAITS[1]);
        }
        let payload = message.payload();
        let tokens = self.counter.count(&payload)?;
        let stored = format!(r#"{{"message":{payload},"token_count":{tokens}}}"#);
        cmd("RPUSH").arg(messages).arg(stored).query_async::<u64>(&mut connection).await?;
        if cmd("PTTL").arg(messages).query_async::<i64>(&mut connection).await? < 0 {
            let mut expire = cmd("PEXPIRE");
            expire.arg(messages).arg(LIVES_MILLISECONDS);
            expire.query_async::<bool>(&mut connection).await?;
        }
        let mut unlock = cmd("EVALSHA");
        unlock.arg(&*self.unlock).arg(1).arg(lock).arg(token.as_str());
        unlock.query_async::<u64>(&mut connection).await?;
        Ok(())
    }
}
