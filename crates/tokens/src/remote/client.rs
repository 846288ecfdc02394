//! One request and its answer.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;

use super::error::RemoteError;
use super::provider::Provider;
use super::retry::retry_after;

/// The longest answer that is read, in bytes. A count takes some dozens.
const ANSWER_BYTES: usize = 64 << 10;

/// Asks a provider, once.
pub(super) struct Client {
    provider: Provider,
    url: Uri,
    key: HeaderValue,
    timeout: Duration,
    http: HttpClient<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Client {
    pub(super) fn new(
        provider: Provider,
        url: Uri,
        is_secure: bool,
        key: &str,
        timeout: Duration,
    ) -> Result<Self, RemoteError> {
        let mut key = HeaderValue::from_str(key).map_err(|_| RemoteError::Key)?;
        if key.is_empty() {
            return Err(RemoteError::Key);
        }
        key.set_sensitive(true);
        let roots = if is_secure { system_roots()? } else { RootCertStore::empty() };
        // A provider of its own, so that none is installed for the whole process.
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| RemoteError::Certificates { source: error.into() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let http = HttpClient::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector.build());
        Ok(Self { provider, url, key, timeout, http })
    }

    /// The provider's figure for a user message with this text.
    pub(super) async fn figure(&self, model: &str, text: &str) -> Result<u64, RemoteError> {
        let limit = self.timeout;
        timeout(limit, self.ask(model, text)).await.unwrap_or(Err(RemoteError::TimedOut { limit }))
    }

    async fn ask(&self, model: &str, text: &str) -> Result<u64, RemoteError> {
        let body = self.provider.request(model, text).to_string();
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(self.provider.key_header(), self.key.clone());
        for (name, value) in self.provider.headers() {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let answer = self.http.request(request).await.map_err(lost)?;
        check(&answer)?;
        let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect();
        let body = body.await.map_err(|source| {
            if source.is::<LengthLimitError>() {
                return RemoteError::Answer { reason: "it is longer than 64 KiB" };
            }
            RemoteError::Connection { source }
        })?;
        self.provider.tokens(&body.to_bytes())
    }
}

/// What the operating system trusts.
fn system_roots() -> Result<RootCertStore, RemoteError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let source = match found.errors.into_iter().next() {
        Some(error) => error.into(),
        None => "the system has none".into(),
    };
    Err(RemoteError::Certificates { source })
}

fn check(answer: &Response<Incoming>) -> Result<(), RemoteError> {
    let status = answer.status();
    let wait = || {
        let header = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
        retry_after(header, SystemTime::now())
    };
    match status.as_u16() {
        _ if status.is_success() => Ok(()),
        429 => Err(RemoteError::RateLimited { retry_after: wait() }),
        status @ 500.. => Err(RemoteError::Server { status, retry_after: wait() }),
        status => Err(RemoteError::Refused { status }),
    }
}

fn lost(error: hyper_util::client::legacy::Error) -> RemoteError {
    RemoteError::Connection { source: error.into() }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.url).finish_non_exhaustive()
    }
}
