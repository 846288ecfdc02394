//! The ledger on Redis: one round trip for an append and for a window.
//!
//! [`RedisStore`] is a [`MemoryStore`](memory_core::MemoryStore) on a pool of `cache-redis`. It
//! needs Redis or Valkey 7.0 or later, without modules. Any number of processes may use it at once.
//!
//! - An **append** is one transaction in one write, without a lock and without a script, where this
//!   process knows the conversation. Where it does not, and where messages have callers' ids, it is
//!   one script.
//! - A **window** is one transaction of reads, however long the history is. A second one is needed
//!   where the guess of the size was too small, or where payloads are so uneven that nothing is
//!   guessed.
//! - **Settles**, drops, clears and changes of the counter are one script each. A trim is one too,
//!   as readers see it; the space is given back afterwards, in steps that take well below 5 ms.
//! - **Lists** look at all keys of the server, because there is no index of conversations.
//!
//! # Keys
//!
//! All begin with a prefix, `turnledger:` unless another one is given.
//!
//! | key | type | what it holds |
//! |---|---|---|
//! | `schema` | hash | the version of the format, and the key of the digests |
//! | `counters` | hash | the codes of counters |
//! | `recounts` | hash | namespaces that are to be counted anew |
//! | `{tag}m…` | hash | a conversation's epoch, seqs, sums and stored head |
//! | `{tag}t…` | list | its messages' classes, fingerprints and tallies |
//! | `{tag}p…` | list | their payloads |
//! | `{tag}i…` | hash | callers' ids, where there are any |
//! | `{tag}x`, `{tag}y` | sorted set | conversations with pendings, and with fallbacks' counts |
//!
//! `…` is the namespace's length, a colon, the namespace and the id, byte by byte, so that no id
//! reaches another one's keys. There are 1024 tags; conversations share them with the indexes that
//! name them, so that one slot of a cluster has all keys of an operation.
//!
//! # Durability
//!
//! An acknowledged append survives the end of the process that made it. What else it survives is up
//! to the persistence and replication of the servers. An append without a caller's id whose answer
//! is lost is [`StoreError::OutcomeUnknown`](memory_core::StoreError::OutcomeUnknown) and is not
//! sent again; one whose messages all have ids is, for 5 s.
//!
//! # Bounds
//!
//! Beyond the [`Limits`](memory_core::Limits), because scripts count in whole numbers up to 2^53: a
//! tally has at most 2^40 tokens, and more is refused ([`RedisStoreError::Tally`]). A grace or a
//! lease is at most 2^50 ms, and an end at most 2^52 ms since 1970; longer ones are cut to that.
//! Ids have at most 65,535 bytes, and a batch of several messages 64 MiB
//! ([`RedisStoreError::Batch`]).
//!
//! # Damage
//!
//! Where one of a conversation's keys was evicted, removed or replaced, the next operation that
//! touches it finds that keys and numbers disagree:
//! [`StoreError::DamagedConversation`](memory_core::StoreError::DamagedConversation). All
//! operations on it but a clear are refused until [`repair`](memory_core::MemoryStore::repair) has
//! mended it. An append that needs no look before it writes finds the damage afterwards. It ends
//! with [`StoreError::OutcomeUnknown`](memory_core::StoreError::OutcomeUnknown) and
//! [`RedisStoreError::DamagedConversation`] as its source, because what it wrote may be there after
//! the repair. Where all keys are gone but that of callers' ids, the conversation is: the next
//! append begins a new life.
//!
//! # Examples
//!
//! ```no_run
//! use cache_redis::{RedisPool, RedisSettings};
//! use memory_core::{
//!     Append, ConversationId, ConversationKey, CounterId, Epoch, Fingerprint, MemoryStore,
//!     Message, Namespace, NewMessage, Tally,
//! };
//! use store_redis::RedisStore;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = RedisPool::builder(RedisSettings::default()).build().await?;
//! let store = RedisStore::builder(pool).prefix("greeter:").connect().await?;
//! let key = ConversationKey::new(Namespace::default(), ConversationId::new("greeting")?);
//! let message = Message::user("Good morning!");
//! let append = Append {
//!     counter: CounterId::new("words/openai-chat-1")?,
//!     new_epoch: Epoch::from_random(7),
//!     messages: vec![NewMessage::new(&message, Fingerprint::from_random(9), Tally::exact(6))],
//!     grace: std::time::Duration::ZERO,
//! };
//! let appended = store.append(&key, append).await?;
//! assert_eq!(appended.totals.tokens, 6);
//! # Ok(())
//! # }
//! ```

mod answer;
mod bounds;
mod builder;
mod client;
mod counters;
mod damage;
mod digests;
mod element;
mod error;
mod examined;
mod inner;
mod keys;
mod known;
mod payload;
mod read;
mod schema;
mod scripts;
mod server_time;
mod state;
mod store;
mod tag;
mod write;

pub use builder::RedisStoreBuilder;
pub use error::RedisStoreError;
pub use store::RedisStore;
