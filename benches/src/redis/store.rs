//! A server, and the store on it.

use std::sync::Arc;
use std::time::Duration;

use cache_redis::RedisPool;
use memory_core::{
    Append, ConversationId, ConversationKey, CounterId, MemoryStore, MessageId, Namespace,
    NewMessage, Tally,
};
use memory_testkit::sample;
use redis_testkit::RedisServer;
use store_redis::RedisStore;

use super::load::{CONVERSATIONS, Way};
use crate::ledger::{Outcome, Texts};
use crate::pool::pool_settings;

/// Different messages that are appended in turn.
const MESSAGES: usize = 1024;

/// The default of a memory.
const GRACE: Duration = Duration::from_secs(10);

/// Tokens that each message is said to have.
pub(super) const TOKENS: u64 = 50;

/// A server of its own, with an open store.
pub(super) struct Served {
    pub(super) server: RedisServer,
    pub(super) store: RedisStore,
    pub(super) counter: CounterId,
}

impl Served {
    /// Starts the server, without persistence, and opens the store with the defaults.
    pub(super) async fn new() -> Outcome<Self> {
        let server = RedisServer::builder().start().await?;
        let store = RedisStore::builder(pool(&server).await?).connect().await?;
        Ok(Self { server, store, counter: CounterId::new("bench")? })
    }

    /// Connections that the store's pool has open for commands.
    pub(super) fn lanes(&self) -> usize {
        self.store.pool().status().lanes.max(1)
    }
}

/// A pool with the defaults.
pub(super) async fn pool(server: &RedisServer) -> Outcome<RedisPool> {
    Ok(RedisPool::builder(pool_settings(&server.url())?).connect().await?)
}

/// The key of a conversation of this name.
pub(super) fn key(name: &str) -> Outcome<ConversationKey> {
    Ok(ConversationKey::new(Namespace::default(), ConversationId::new(name)?))
}

/// Messages whose texts have so many bytes.
pub(super) fn messages(seed: u64, count: usize, bytes: usize, tally: Tally) -> Vec<NewMessage> {
    let messages = Texts::new(seed).messages(count, bytes);
    messages.iter().map(|message| sample::message(message, tally)).collect()
}

/// Appends to the store, each message for itself.
#[derive(Clone)]
pub(super) struct Appends {
    store: RedisStore,
    counter: CounterId,
    keys: Arc<[ConversationKey]>,
    messages: Arc<[NewMessage]>,
}

impl Appends {
    /// Appends of messages with texts of so many bytes, already counted.
    pub(super) fn new(served: &Served, name: &str, bytes: usize) -> Outcome<Self> {
        let keys = (0..CONVERSATIONS).map(|number| key(&format!("{name}-{number:04}")));
        Ok(Self {
            store: served.store.clone(),
            counter: served.counter.clone(),
            keys: keys.collect::<Outcome<_>>()?,
            messages: messages(1, MESSAGES, bytes, Tally::exact(TOKENS)).into(),
        })
    }
}

/// The caller's id of this number.
pub(super) fn message_id(number: u64) -> Outcome<MessageId> {
    // Scattered, as ids are; an odd factor maps no two numbers to the same.
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Ok(MessageId::new(format!("{scattered:016x}"))?)
}

impl Way for Appends {
    async fn append(&self, number: usize) -> Outcome<()> {
        let message = self.messages[number % self.messages.len()].clone();
        let batch = sample::batch(&self.counter, [message]);
        // As a memory has it.
        let batch = Append { grace: GRACE, ..batch };
        self.store.append(&self.keys[number % self.keys.len()], batch).await?;
        Ok(())
    }
}
