//! Token counters, an estimator, and a background pool that counts without making anyone wait.
//!
//! - [`BpeCounter`]: exact counts for OpenAI's encodings.
//! - [`CounterRegistry`]: counters by name or by the name of a model, open for one's own.
//! - [`Fallback`], [`Cached`], [`Metered`], [`Calibrated`]: counters around counters.
//! - [`Estimator`]: a good guess in one pass over the bytes, for where a count would cost too much.
//! - [`AsyncTokenCounter`]: owned threads that count in the background, behind a bounded queue.
//! - [`TokenMetrics`]: what the pool did, as numbers and through the `metrics` facade.
//! - `HuggingFaceCounter`, with the feature `hugging-face`: counts by a model's `tokenizer.json`.
//! - `ProviderCounter` and `BlockingCounter`, with the feature `remote`: counts by asking a provider.
//!
//! The crate reads no environment and installs no recorder and no subscriber. It needs a tokio
//! runtime only for the deadlines of the pool's async methods.
//!
//! # Examples
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use memory_core::Message;
//! use tokens::{AsyncTokenCounter, BpeCounter};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = AsyncTokenCounter::builder(Arc::new(BpeCounter::o200k_base())).workers(1).build()?;
//! let message = Message::user("How long is the flight to Lisbon?");
//!
//! let guess = pool.estimate(&message); // at once, from the bytes
//! let tally = pool.tally(&message, Duration::from_secs(5)).await?; // by a worker
//! assert!(guess.is_pending());
//! assert_eq!(tally.tokens, 3 + 1 + 8); // the message itself, its role, its content
//!
//! let report = pool.shutdown(Duration::from_secs(5)).await;
//! assert_eq!(report.left, 0);
//! # Ok(())
//! # }
//! ```

mod counters;
mod decorators;
mod error;
mod estimator;
#[cfg(feature = "hugging-face")]
mod hugging_face;
mod log_limit;
pub mod metrics;
mod models;
pub mod pool;
mod registry;
#[cfg(feature = "remote")]
mod remote;
mod sync;

pub use counters::BpeCounter;
pub use decorators::{
    CacheStats, Cached, Calibrated, Calibration, EstimatedCounter, Fallback, Metered, MeteredStats,
};
pub use error::{BuildError, HungCount, LoadError, UnknownCounter};
pub use estimator::{Estimator, Interval};
#[cfg(feature = "hugging-face")]
pub use hugging_face::HuggingFaceCounter;
pub use log_limit::LogLimit;
pub use metrics::snapshot::TokenMetricsSnapshot;
pub use metrics::summary::{DurationSummary, RatioSummary};
pub use metrics::token_metrics::TokenMetrics;
pub use pool::builder::Builder;
pub use pool::deliver::Counted;
pub use pool::handle::AsyncTokenCounter;
pub use pool::job::{Job, Place, Refused};
pub use pool::shutdown::ShutdownReport;
pub use registry::{CounterRegistry, Resolved};
#[cfg(feature = "remote")]
pub use remote::{BlockingCounter, ProviderBuilder, ProviderCounter, RemoteError};
