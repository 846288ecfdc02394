//! Conversation memory for LLM agents: append without waiting for a tokenizer, totals that become
//! exact in the background, a window that fits a token budget.
//!
//! This crate is the one to depend on. It names everything that an agent needs, [`settings`] loads
//! the configuration in layers, and [`wiring`] makes a running memory of it.
//!
//! # Examples
//!
//! With `turnledger` and `tokio` (features `macros` and `rt-multi-thread`) as dependencies:
//!
//! ```
//! use std::time::Duration;
//! use turnledger::{BpeCounter, ConversationId, EmbeddedStore, Memory, Message};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // `.path("memory.redb")` in place of `.in_memory()` keeps everything in a file.
//!     let store = EmbeddedStore::builder().in_memory().open_async().await?;
//!     let memory = Memory::builder().store(store).counter(BpeCounter::o200k_base()).build().await?;
//!     let conversation = memory.conversation(ConversationId::new("harbour-42")?);
//!
//!     conversation.append(Message::system("You are a harbour pilot. Be brief.")).await?;
//!     conversation.append(Message::user("When can we leave for Lisbon?")).await?;
//!
//!     let window = conversation.window(4096).await?; // the newest messages that fit 4096 tokens
//!     println!("{} tokens for the model: {}", window.tokens, window.to_json());
//!     conversation.append(Message::assistant("At high water, 14:20.")).await?;
//!
//!     memory.shutdown(Duration::from_secs(10)).await; // counts what is still estimated
//!     Ok(())
//! }
//! ```
//!
//! # What is where
//!
//! - [`Memory`] joins a store and a counter; a [`Conversation`] of it appends, reads windows and
//!   pages, and looks after itself.
//! - [`Message`] keeps the wire form of chat APIs, unknown fields included.
//! - [`EmbeddedStore`] is one file and needs no server. [`RedisStore`] is for many processes. Any
//!   other [`MemoryStore`] works as well.
//! - [`BpeCounter`] counts exactly. Any other [`TokenCounter`] works as well.
//! - [`wiring::open`] does all of it from [`settings`].
//!
//! The library reads no environment and no file unless it is asked to, and installs no recorder,
//! subscriber or panic hook. Its metrics go through the `metrics` facade; [`describe_metrics`]
//! tells a recorder what they mean.

mod metrics;
#[cfg(doctest)]
mod pages;
pub mod settings;
mod store_url;
pub mod wiring;

// A memory and its conversations.
pub use memory_instance::{
    Conversation, CountPolicy, Entry, Export, LedgerEntry, LedgerPage, Memory, MemoryBuilder,
    MemoryError, Receipt, Settling, ShutdownReport, SweepReport, UnknownPolicy, Window,
    WindowOptions,
};

// Names.
pub use memory_core::{ConversationId, ConversationKey, CounterId, IdError, MessageId, Namespace};

// Messages.
pub use memory_core::{
    Content, ContentPart, ImageDetail, Media, MediaKind, Message, MessageBuilder, MessageError,
    Role, ToolCall,
};

// The ledger.
pub use memory_core::{
    CounterTotals, Epoch, FinalReason, Fingerprint, LedgerTotals, NonceError, Seq, Tally,
    TallyState, Totals,
};

// Bounds, framing and time.
pub use memory_core::window::WindowError;
pub use memory_core::{
    Clock, Framing, LimitError, LimitKind, Limits, ManualClock, MediaFigures, SystemClock,
    Timestamp,
};

// Counters.
pub use memory_core::{CountError, RemoteCounter, TextCount, TokenCounter};
pub use metrics::describe_metrics;
#[cfg(feature = "hugging-face")]
pub use tokens::HuggingFaceCounter;
pub use tokens::{
    AsyncTokenCounter, BpeCounter, BuildError, CacheStats, Cached, Calibrated, Calibration,
    CounterRegistry, EstimatedCounter, Estimator, Fallback, LoadError, Metered, MeteredStats,
    Resolved, TokenMetrics, TokenMetricsSnapshot, UnknownCounter,
};
#[cfg(feature = "remote")]
pub use tokens::{BlockingCounter, ProviderBuilder, ProviderCounter, RemoteError};

// The pool of connections to Redis, and a look at the servers.
pub use cache_redis::{
    Advice, Concern, ConnectError, ConnectReason, Diagnosis, Leak, PoolError, PoolStatus,
    RedisPool, RedisPoolBuilder, RoundTrip, ServerReport, Throughput, WaitTimedOut, WaitingFor,
};

// Stores: the embedded one, the one on Redis, and what it takes to write another.
pub use memory_core::{
    Append, Appended, AppendedMessage, Archive, Backlog, Capabilities, Claim, Claimed,
    ClaimedConversation, Cleared, ConversationSummary, Difference, Dropped, ListPage, ListQuery,
    MemoryStore, MemoryStoreExt, MessageClass, NewMessage, Page, PageQuery, PendingConversation,
    Probe, PutHead, Repair, RepairReport, Settle, Settled, Settlement, StableStart, StoreError,
    StoredMessage, Summary, TailWalk, Trim, Trimmed, WindowQuery, WindowRead,
};
pub use store_embedded::{Durability, EmbeddedError, EmbeddedStore, EmbeddedStoreBuilder};
pub use store_redis::{RedisStore, RedisStoreBuilder, RedisStoreError};
