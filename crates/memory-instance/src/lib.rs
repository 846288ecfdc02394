//! Conversation memory for LLM agents: append without waiting for a tokenizer, totals that become
//! exact in the background, and a window that fits.
//!
//! A [`Memory`] joins a store and a counter. A [`Conversation`] of it appends messages, reads
//! windows and pages, and looks after itself:
//!
//! - **Append** writes the message with an estimate, or with a count where that is cheap (see
//!   [`CountPolicy`]), in one round trip to the store.
//! - **Settle** replaces estimates by counts in the background, in batches.
//! - **Sweep** finds what a full queue, a crash or a shutdown left uncounted, and settles it.
//! - **Window** reads the newest messages that fit a budget, and counts what it needs to know.
//!
//! The crate spawns tasks on the tokio runtime on which a memory is built, and counts on threads
//! of its own.
//!
//! # Examples
//!
//! ```
//! use memory_core::{ConversationId, Message};
//! use memory_instance::Memory;
//! use std::time::Duration;
//! use store_embedded::EmbeddedStore;
//! use tokens::BpeCounter;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let memory = Memory::builder()
//!     .store(EmbeddedStore::builder().in_memory().open()?)
//!     .counter(BpeCounter::o200k_base())
//!     .build()
//!     .await?;
//! let conversation = memory.conversation(ConversationId::new("tour-42")?);
//! conversation.append(Message::system("Be brief.")).await?;
//! conversation.append(Message::user("Where does the ferry leave?")).await?;
//! let window = conversation.window(1000).await?;
//! assert_eq!(window.messages().count(), 2);
//! assert!(window.tokens <= 1000);
//! memory.shutdown(Duration::from_secs(5)).await;
//! # Ok(())
//! # }
//! ```

mod background;
mod conversation;
mod deadline;
mod entry;
mod error;
mod generation;
mod memory;
pub mod metrics;
mod policy;
mod random;
mod shared;

pub use background::SweepReport;
pub use conversation::{Conversation, Export, Window, WindowOptions};
pub use entry::{Entry, LedgerEntry, LedgerPage, Receipt, Settling};
pub use error::MemoryError;
pub use memory::{Memory, MemoryBuilder, ShutdownReport};
pub use policy::{CountPolicy, UnknownPolicy};
