//! Opening a store and a memory.

use std::path::PathBuf;
use std::sync::Arc;

use cache_redis::{RedisPool, RedisSettings};
use layered_settings::{Settings, Url};
use memory_core::MemoryStore;
use memory_instance::Memory;

use super::error::OpenError;
use super::parts::{embedded_builder, memory_builder, redis_builder, resolve};
use crate::settings::TurnledgerSettings;
use crate::store_url::StoreUrl;

/// A memory, and what it was made of.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Opened {
    /// The memory.
    pub memory: Memory,
    /// The store's URL, without its password.
    pub store_url: String,
    /// The settings that it was built with.
    pub settings: TurnledgerSettings,
}

/// Opens the store, chooses the counter and builds the memory that the settings describe.
///
/// A file that is missing is created, with the directories on the way to it, all of them for their
/// owner alone. After a crash the whole file is checked, which takes the longer the larger it is:
/// no setting bounds that time.
///
/// # Errors
///
/// [`OpenError`] says which of the parts cannot be had, and why. Outside a tokio runtime that is
/// the memory, or the pool of a store on Redis.
///
/// # Cancel safety
///
/// Dropping the future gives the memory up. A file that is just being opened is closed again.
pub async fn open(settings: &Settings) -> Result<Opened, OpenError> {
    let typed = TurnledgerSettings::from_settings(settings)?;
    let resolved = resolve(&typed.counter.encoding)?;
    let url = typed.store.url.as_ref().ok_or(OpenError::NoStore)?;
    let store = open_url(url, &typed, settings).await?;
    let memory = memory_builder(&typed)
        .store(store)
        .counter(resolved.counter)
        .framing(resolved.framing)
        .build()
        .await?;
    Ok(Opened { memory, store_url: url.to_string(), settings: typed })
}

/// The file that a store's URL names; none where it names no store, or one without a file.
///
/// # Examples
///
/// ```
/// use std::path::Path;
/// use turnledger::wiring;
///
/// assert_eq!(wiring::store_file("file:///a%20b").as_deref(), Some(Path::new("/a b")));
/// assert_eq!(wiring::store_file("memory:"), None);
/// ```
pub fn store_file(url: &str) -> Option<PathBuf> {
    match StoreUrl::parse(&Url::parse(url)?) {
        Ok(StoreUrl::File(path)) => Some(path),
        _ => None,
    }
}

/// Opens the store at a URL, with everything else as the section `[store]` says.
///
/// # Errors
///
/// [`OpenError`] names what is wrong with the URL, or why the store cannot be opened.
///
/// # Cancel safety
///
/// Dropping the future gives the store up. A file that is just being opened is closed again.
pub async fn open_store(url: &str, settings: &Settings) -> Result<Arc<dyn MemoryStore>, OpenError> {
    let typed = TurnledgerSettings::from_settings(settings)?;
    let url = Url::parse(url).ok_or(OpenError::NoScheme)?;
    open_url(&url, &typed, settings).await
}

async fn open_url(
    url: &Url,
    typed: &TurnledgerSettings,
    settings: &Settings,
) -> Result<Arc<dyn MemoryStore>, OpenError> {
    let builder = embedded_builder(&typed.store, typed.limits);
    let opened: Result<Arc<dyn MemoryStore>, _> = match StoreUrl::parse(url)? {
        StoreUrl::File(path) => {
            builder.path(path).open_async().await.map(|store| Arc::new(store) as _)
        }
        StoreUrl::Memory => {
            builder.in_memory().open_async().await.map(|store| Arc::new(store) as _)
        }
        StoreUrl::Redis => {
            let redis = RedisSettings::at(url, settings)?;
            let redis = redis.ok_or(OpenError::StoreUrl { reason: REDIS_FORMS })?;
            let pool = RedisPool::builder(redis).build().await;
            let pool = pool.map_err(|source| OpenError::Redis { url: url.to_string(), source })?;
            let builder = redis_builder(pool, &typed.store, typed.limits);
            builder.connect().await.map(|store| Arc::new(store) as _)
        }
    };
    opened.map_err(|source| OpenError::Store { url: url.to_string(), source })
}

/// What the URL of a store on Redis has to look like.
const REDIS_FORMS: &str = "write redis://user:password@host:6379/0, \
                           redis-sentinel://host,host/service/0 or redis-cluster://host,host, with \
                           rediss in place of redis for TLS, and without parameters";
