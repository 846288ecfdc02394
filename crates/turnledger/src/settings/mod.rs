//! The settings of all parts, in layers: default < file < environment < explicit call.
//!
//! [`schema`] declares every setting with its default. [`Sources`] says which layers there are and
//! loads them; nothing of the process is read that it was not told to read. [`TurnledgerSettings`]
//! is the outcome as typed values, which [`wiring`](crate::wiring) hands to the parts.
//!
//! # Examples
//!
//! ```
//! use std::collections::BTreeMap;
//! use turnledger::settings::{Layer, Sources, TurnledgerSettings};
//!
//! let environment = BTreeMap::from([
//!     ("TURNLEDGER__QUEUE__CAPACITY".to_owned(), "500".to_owned()),
//!     ("TURNLEDGER__SWEEP__LEASE".to_owned(), "30".to_owned()),
//! ]);
//! let loaded = Sources::new()
//!     .environment(environment) // a program gives `ProcessEnvironment` here
//!     .explicit("counter.encoding", "cl100k_base")
//!     .load()?;
//!
//! assert_eq!(loaded.settings.layer("queue.capacity")?, Layer::Environment);
//! assert_eq!(
//!     loaded.warnings[0].to_string(),
//!     "environment variable TURNLEDGER__SWEEP__LEASE is \"30\", expected a duration from 1ms \
//!      to 365days with its unit, such as 30s; it is ignored, and sweep.lease is 20s (default)",
//! );
//!
//! let typed = TurnledgerSettings::from_settings(&loaded.settings)?;
//! assert_eq!(typed.queue.capacity, 500);
//! assert_eq!(typed.counter.encoding, "cl100k_base");
//! # Ok::<(), turnledger::settings::SettingsError>(())
//! ```

mod directories;
mod schema;
mod sources;
mod typed;

pub use cache_redis::{
    ClientCertificate, Credentials, Node, PoolSettings, RedisSettings, TlsSettings, Topology,
};
pub use directories::UserDirectories;
pub use layered_settings::{
    Environment, Layer, ProcessEnvironment, ResolvedSetting, Schema, Secret, Setting, Settings,
    SettingsError, Url, Value, Warning,
};
#[cfg(test)]
pub(crate) use schema::LONGEST;
pub use schema::schema;
pub use sources::{Loaded, Sources};
pub use typed::{
    CounterSettings, MemorySettings, QueueSettings, StoreSettings, SweepSettings,
    TurnledgerSettings,
};
