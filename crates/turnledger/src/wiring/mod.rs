//! From settings to a memory that works: the store by its URL, the counter by its name.
//!
//! Each part's builder checks its values once more, whatever the settings have let pass.
//!
//! | URL | store |
//! |---|---|
//! | `file:PATH` | one file of the embedded store; PATH as it stands, relative or absolute |
//! | `file:///PATH` | the same, absolute, with percent escapes |
//! | `memory:` | the embedded store without a file, gone with the process |
//! | `redis://[[user]:password@]host[:port][/database]` | a server of Redis |
//! | `redis-sentinel://[[user]:password@]host[:port],…/service[/database]` | the server that sentinels name |
//! | `redis-cluster://[[user]:password@]host[:port],…` | a cluster of Redis |
//!
//! With `rediss` in place of `redis` connections are encrypted. What else the pool needs is in the
//! section `[redis]` of the settings.
//!
//! # Examples
//!
//! ```
//! use turnledger::settings::Sources;
//! use turnledger::{ConversationId, Message, wiring};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let loaded = Sources::new().explicit("store.url", "memory:").load()?;
//! let opened = wiring::open(&loaded.settings).await?;
//!
//! let conversation = opened.memory.conversation(ConversationId::new("tour-42")?);
//! conversation.append(Message::user("Where does the ferry leave?")).await?;
//! assert_eq!(conversation.len().await?, 1);
//!
//! opened.memory.shutdown(opened.settings.memory.shutdown_deadline).await;
//! # Ok(())
//! # }
//! ```

mod error;
mod open;
mod parts;

pub use error::OpenError;
pub use open::{Opened, open, open_store, store_file};
pub use parts::{counter, memory_builder};

#[cfg(test)]
mod tests;
