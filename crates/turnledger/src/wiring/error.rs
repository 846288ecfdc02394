//! Why a memory could not be opened.

use cache_redis::PoolError;
use layered_settings::SettingsError;
use memory_core::StoreError;
use memory_instance::MemoryError;
use tokens::LoadError;

use crate::store_url::Flaw;

/// The URLs that a store can have.
const FORMS: &str = "file:PATH, memory: or redis://HOST";

/// Why a memory could not be opened.
///
/// No message shows a store's URL but in its masked form, or a part of one that can hold a
/// password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The settings contradict each other, or are of another schema.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No layer of the settings names a store, and the user's data directory is not known.
    #[error("store.url is not set; give it as {FORMS}")]
    NoStore,
    /// What was given as a store's URL is none.
    #[error("the store's URL begins with no scheme; write it as {FORMS}")]
    NoScheme,
    /// A store's URL has a scheme that nobody knows.
    #[error("no store has URLs that begin with {scheme}:; write it as {FORMS}")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// A store's URL has a known scheme, and what follows it is wrong.
    #[error("the store's URL cannot be used: {reason}")]
    StoreUrl {
        /// What is wrong.
        reason: &'static str,
    },
    /// No counter has the name that the settings give.
    #[error("counter.encoding cannot be used")]
    Counter {
        /// What is wrong with the name, and which name is near.
        #[from]
        source: LoadError,
    },
    /// The store was found and could not be opened.
    #[error("the store {url} cannot be opened")]
    Store {
        /// The store's URL, without its password.
        url: String,
        /// What the store says.
        source: StoreError,
    },
    /// The pool of connections to Redis could not be set up.
    #[error("the connections to {url} cannot be set up")]
    Redis {
        /// The store's URL, without its password.
        url: String,
        /// Why not.
        source: PoolError,
    },
    /// The memory could not be built.
    #[error("the memory cannot be built")]
    Memory {
        /// Why not.
        #[from]
        source: MemoryError,
    },
}

impl OpenError {
    /// Whether the same call may succeed later without anyone doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store { source, .. } => source.is_retryable(),
            Self::Redis { source, .. } => source.is_retryable(),
            Self::Memory { source } => source.is_retryable(),
            _ => false,
        }
    }
}

impl From<Flaw> for OpenError {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::UnknownScheme { scheme } => Self::UnknownScheme { scheme },
            Flaw::Form { reason } => Self::StoreUrl { reason },
        }
    }
}
