//! Opening a store and a memory.

use std::path::PathBuf;
use std::sync::Arc;

use layered_settings::{Settings, Url};
use memory_core::MemoryStore;
use memory_instance::Memory;

use super::error::OpenError;
use super::parts::{embedded_builder, memory_builder, resolve};
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
/// the memory.
///
/// # Cancel safety
///
/// Dropping the future gives the memory up. A file that is just being opened is closed again.
pub async fn open(settings: &Settings) -> Result<Opened, OpenError> {
    let typed = TurnledgerSettings::from_settings(settings)?;
    let resolved = resolve(&typed.counter.encoding)?;
    let url = typed.store.url.as_ref().ok_or(OpenError::NoStore)?;
    let store = open_url(url, &typed).await?;
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
    open_url(&url, &typed).await
}

async fn open_url(
    url: &Url,
    settings: &TurnledgerSettings,
) -> Result<Arc<dyn MemoryStore>, OpenError> {
    let builder = embedded_builder(&settings.store, settings.limits);
    let builder = match StoreUrl::parse(url)? {
        StoreUrl::File(path) => builder.path(path),
        StoreUrl::Memory => builder.in_memory(),
    };
    let store = builder.open_async().await;
    let store = store.map_err(|source| OpenError::Store { url: url.to_string(), source })?;
    Ok(Arc::new(store))
}
