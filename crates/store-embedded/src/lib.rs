//! Conversation memory in one durable file, on redb, with no server.
//!
//! [`EmbeddedStore`] is a [`MemoryStore`](memory_core::MemoryStore). One thread of its own writes:
//! it commits whatever is waiting in one transaction, and acknowledges each operation after that
//! commit. While more is waiting, one of two further threads does the sync of one commit and
//! acknowledges, and the writer fills the next transaction meanwhile. A few threads of its own
//! read, and see what is durable. Nothing here runs on the threads of an async runtime, and
//! any runtime serves.
//!
//! # Durability
//!
//! With [`Durability::Sync`] an acknowledged append survives the end of the process and of the
//! machine. With [`Durability::Relaxed`] it survives the end of the process; if the machine ends,
//! the file may be destroyed. Leases are not stored: opening a file makes everything pending due.
//!
//! After a crash the next opening reads and checks the whole file. The database could save that
//! reading, at the price of a second sync in every commit; crashes are rarer than commits.
//!
//! # Failure
//!
//! An operation that is refused fails alone. When the backend fails, all operations of its
//! transaction fail, and the store refuses everything from then on:
//! [`StoreError::Poisoned`](memory_core::StoreError::Poisoned). Where the commit had begun, its
//! operations are [`StoreError::OutcomeUnknown`](memory_core::StoreError::OutcomeUnknown). Opening
//! the file again finds everything that was acknowledged.
//!
//! # Examples
//!
//! ```
//! use memory_core::{
//!     Append, ConversationId, ConversationKey, CounterId, Epoch, Fingerprint, MemoryStore,
//!     Message, Namespace, NewMessage, Tally,
//! };
//! use store_embedded::EmbeddedStore;
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let store = EmbeddedStore::builder().in_memory().open_async().await?;
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
//! store.close().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod backend;
mod behind;
mod builder;
mod bytes;
mod counters;
mod digests;
mod error;
mod examine;
mod finisher;
mod job;
mod leases;
mod open;
mod payloads;
mod read;
mod readers;
mod record;
mod recount;
mod row;
mod rows;
mod schema;
mod shared;
mod store;
mod threads;
mod unfinished;
mod views;
mod write;
mod writer;
mod writes;

pub use builder::{Durability, EmbeddedStoreBuilder};
pub use error::EmbeddedError;
pub use store::EmbeddedStore;
