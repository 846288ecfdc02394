//! Settings in layers, default < file < environment < explicit call, with the provenance of every
//! value.
//!
//! A program declares its settings once, in a [`Schema`]. A [`Loader`] merges the layers into
//! [`Settings`], in which every value knows its [`Layer`] and its source: the variable's name or
//! the file's path. Secrets are never shown, neither in errors and warnings nor by `Debug`.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::time::Duration;
//! use layered_settings::{Layer, Loader, Schema, Setting};
//!
//! let schema = Schema::new([
//!     Setting::choice("counter.encoding", &["o200k_base", "cl100k_base"])
//!         .default_value("o200k_base")
//!         .describe("vocabulary that tokens are counted with"),
//!     Setting::integer("redis.pool.size", 1..=10_000)
//!         .default_value("100")
//!         .variable("REDIS_POOL_SIZE")
//!         .describe("connections at most"),
//!     Setting::duration("redis.pool.timeout", Duration::from_millis(1)..)
//!         .default_value("30s")
//!         .describe("longest wait for a connection"),
//!     Setting::url("redis.url").variable("REDIS_URL").describe("address of the server"),
//! ])?;
//!
//! // A program would give `ProcessEnvironment` here.
//! let environment = BTreeMap::from([
//!     ("REDIS_URL".to_owned(), "redis://app:hunter2@cache:6379/0".to_owned()),
//!     ("TURNLEDGER__REDIS__POOL__TIMEOUT".to_owned(), "1m30s".to_owned()),
//!     ("REDIS_POOL_SIZE".to_owned(), "many".to_owned()),
//! ]);
//! let settings = Loader::new(schema)
//!     .search(["turnledger.toml"])
//!     .environment(environment)
//!     .explicit("counter.encoding", "cl100k_base")
//!     .build()?;
//!
//! assert_eq!(settings.get::<&str>("counter.encoding")?, "cl100k_base");
//! assert_eq!(settings.get::<Duration>("redis.pool.timeout")?, Duration::from_secs(90));
//! assert_eq!(settings.layer("counter.encoding")?, Layer::Explicit);
//!
//! let url = settings.resolved("redis.url")?;
//! assert_eq!(url.value().to_string(), "redis://app:***@cache:6379/0");
//! assert_eq!(url.source(), Some("REDIS_URL"));
//!
//! assert_eq!(settings.get::<usize>("redis.pool.size")?, 100);
//! assert_eq!(
//!     settings.warnings()[0].to_string(),
//!     "environment variable REDIS_POOL_SIZE is \"many\", expected an integer from 1 to 10000; \
//!      it is ignored, and redis.pool.size is 100 (default)",
//! );
//! # Ok::<_, layered_settings::SettingsError>(())
//! ```
//!
//! # Layers
//!
//! | layer | from | a value that cannot be read |
//! |---|---|---|
//! | `default` | [`Setting::default_value`] | is refused with the schema |
//! | `derived` | [`Settings::derive`], [`Settings::adjust`] | is an error |
//! | `file` | [`Loader::file`], [`Loader::search`] | is an error that names file and key |
//! | `environment` | [`Loader::environment`] | is a warning, and a lower layer holds; an error if [strict](Loader::strict) |
//! | `explicit` | [`Loader::explicit`] | is an error |
//!
//! # Files
//!
//! A file is TOML, YAML or JSON, as its extension says. It may hold only sections and keys of the
//! schema, each once; numbers and booleans are written as such, everything else as text. It may be
//! 1 MiB long and nested 32 levels deep (JSON: 128). YAML aliases and several documents in one
//! file are refused.
//!
//! # Variables
//!
//! The setting `redis.pool.size` is read from `TURNLEDGER__REDIS__POOL__SIZE`, with a prefix that
//! can be [set](Loader::prefix), otherwise from the flat variables of its declaration. Where two
//! of them are set and differ, the first one holds and a warning says so. A variable with the
//! prefix that no setting has is a warning too, if its section is a known one or spelt like one.
//!
//! # Relations between settings
//!
//! [`Schema::alternatives`] declares groups of keys that exclude each other, and [`Schema::lead`]
//! a key whose value leaves behind what belonged to another one. Everything else is up to who reads
//! the settings: [`Settings::derive`] fills in a value that follows from another one,
//! [`Settings::adjust`] corrects one with a warning, [`Settings::refuse`] makes the error.

mod environment;
mod error;
mod file;
mod kind;
mod layer;
mod limits;
mod loader;
mod partial;
mod read;
mod relations;
mod resolved;
mod schema;
mod secret;
mod setting;
mod settings;
mod shown;
mod size;
mod url;
mod value;
mod variables;
mod warning;

pub use environment::{Environment, ProcessEnvironment};
pub use error::SettingsError;
pub use layer::Layer;
pub use loader::Loader;
pub use read::FromValue;
pub use resolved::ResolvedSetting;
pub use schema::Schema;
pub use secret::Secret;
pub use setting::Setting;
pub use settings::Settings;
pub use url::Url;
pub use value::Value;
pub use warning::Warning;
