//! Building a counter that asks a provider.

use std::fmt;
use std::time::Duration;

use http::uri::{Scheme, Uri};
use memory_core::CounterId;
use secrecy::{ExposeSecret, SecretString};

use super::client::Client;
use super::counter::ProviderCounter;
use super::error::RemoteError;
use super::provider::Provider;
use super::retry::Retry;

/// How long one attempt may take where nothing else is said: 5 s.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How many requests may be under way at the same time where nothing else is said.
const CONCURRENCY: usize = 10;

/// The most requests that may be allowed at the same time.
const MAX_CONCURRENCY: usize = 1000;

/// Attempts and pauses where nothing else is said.
const RETRY: Retry =
    Retry { retries: 2, first: Duration::from_millis(200), longest: Duration::from_secs(5) };

/// The most attempts after the first that may be asked for.
const MAX_RETRIES: u32 = 10;

/// The longest name of a model.
const MODEL_BYTES: usize = 128;

/// Builds a [`ProviderCounter`].
#[must_use = "a builder does nothing until it is built"]
pub struct ProviderBuilder {
    provider: Provider,
    model: String,
    key: SecretString,
    base_url: String,
    timeout: Duration,
    concurrency: usize,
    retry: Retry,
}

impl ProviderBuilder {
    pub(super) fn new(provider: Provider, model: String, key: String) -> Self {
        Self {
            provider,
            model,
            key: key.into(),
            base_url: provider.base_url().to_owned(),
            timeout: TIMEOUT,
            concurrency: CONCURRENCY,
            retry: RETRY,
        }
    }

    /// Sets where the provider is, such as a gateway of one's own: `http:` or `https:`, a host, and
    /// perhaps a path that the provider's own is put behind.
    ///
    /// With `http:` the key travels in the clear.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.base_url = base_url.into();
        self
    }

    /// Sets how long one attempt may take, by default 5 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many requests may be under way at the same time: 1 to 1000, by default 10.
    pub fn concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = concurrency;
        self
    }

    /// Sets how often a request is tried again after it failed: 0 to 10, by default 2.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retry.retries = retries;
        self
    }

    /// Sets the pause before the second attempt, by default 200 ms. It doubles from attempt to
    /// attempt, up to `longest`, by default 5 s; chance takes up to half of each away.
    ///
    /// Where the provider says how long to wait, that holds, up to 30 s; where it wants more, it is
    /// not asked again.
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.retry = Retry { first, longest, ..self.retry };
        self
    }

    /// Checks everything. Nothing is asked of the provider yet.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] where a value cannot be used, or the system has no certificates to trust.
    pub fn build(self) -> Result<ProviderCounter, RemoteError> {
        let Self { provider, model, key, base_url, timeout, concurrency, retry } = self;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:@-".contains(&byte);
        if !(1..=MODEL_BYTES).contains(&model.len()) || !model.bytes().all(allowed) {
            return Err(RemoteError::Model);
        }
        let bounds = |what, bounds| Err(RemoteError::Bounds { what, bounds });
        if timeout.is_zero() {
            return bounds("the time-out", "more than zero");
        }
        if !(1..=MAX_CONCURRENCY).contains(&concurrency) {
            return bounds("the concurrency", "1 to 1000");
        }
        if retry.retries > MAX_RETRIES {
            return bounds("the number of retries", "0 to 10");
        }
        let (prefix, is_secure) = prefix(&base_url)?;
        let url = format!("{prefix}{}", provider.path(&model));
        let url = url.parse().map_err(|_| RemoteError::BaseUrl { reason: "it is no URL" })?;
        let id = CounterId::new(format!("{}:{model}", provider.name()))
            .map_err(|_| RemoteError::Model)?;
        let client = Client::new(provider, url, is_secure, key.expose_secret(), timeout)?;
        Ok(ProviderCounter::new(id, model, client, retry, concurrency))
    }
}

/// A base URL without the slash at its end, and whether it is one of TLS.
fn prefix(base_url: &str) -> Result<(String, bool), RemoteError> {
    let wrong = |reason| Err(RemoteError::BaseUrl { reason });
    let Ok(uri) = base_url.parse::<Uri>() else { return wrong("it is no URL") };
    let is_secure = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => true,
        Some(scheme) if *scheme == Scheme::HTTP => false,
        _ => return wrong("it must begin with http:// or https://"),
    };
    if uri.authority().is_none_or(|authority| authority.as_str().contains('@')) {
        return wrong("it must have a host, and no name or password before it");
    }
    if uri.query().is_some() {
        return wrong("it must not have a query");
    }
    Ok((base_url.trim_end_matches('/').to_owned(), is_secure))
}

impl fmt::Debug for ProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The base URL may hold a password until it is checked.
        f.debug_struct("ProviderBuilder")
            .field("provider", &self.provider)
            .field("model", &self.model)
            .field("timeout", &self.timeout)
            .field("concurrency", &self.concurrency)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}
