//! Where byte streams come from.

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::ConnectError;

/// A connection to a server, before anything was said on it.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> ByteStream for S {}

/// What opens byte streams to the server.
///
/// The pool has its own for the topologies of the settings. Another one leads it elsewhere: through
/// a tunnel, or to a script in a test.
#[async_trait]
pub trait Dialer: Send + Sync + 'static {
    /// The address that errors name.
    fn address(&self) -> String;

    /// The address of the server that the last stream leads to, where [`address`](Self::address)
    /// does not say it: that of the master which sentinels named.
    fn reached(&self) -> Option<String> {
        None
    }

    /// Opens a stream, TLS included where there is any. The pool sees to rate, retries and deadline.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] with the reason, which decides whether the pool tries again.
    ///
    /// # Cancel safety
    ///
    /// The pool drops the future at `redis.pool.connect_timeout`; whatever was opened must be closed
    /// with it.
    async fn dial(&self) -> Result<Box<dyn ByteStream>, ConnectError>;
}
