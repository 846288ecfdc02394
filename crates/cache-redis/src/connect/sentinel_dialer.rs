//! Connections to the master that the sentinels name.

use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::node_dialer::open;
use crate::connection::{ByteStream, Dialer, master_of};
use crate::{ConnectError, ConnectReason, Credentials, Node};

/// Asks the sentinels for the master each time that it is to connect, so that a fail-over needs no
/// further care. Who answers is asked for its role before it is used.
pub(crate) struct SentinelDialer {
    pub(crate) service: String,
    pub(crate) sentinels: Vec<Node>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) tls: Option<TlsConnector>,
    /// The most time for all sentinels together.
    pub(crate) patience: Duration,
    /// The master that it led to last.
    pub(crate) reached: Mutex<Option<Node>>,
}

#[async_trait]
impl Dialer for SentinelDialer {
    fn address(&self) -> String {
        let mut address = format!("{} of sentinels", self.service);
        for (place, node) in self.sentinels.iter().enumerate() {
            // Writing to a text does not fail.
            let _ = write!(address, "{} {node}", if place > 0 { "," } else { "" });
        }
        address
    }

    fn reached(&self) -> Option<String> {
        self.lock_reached().as_ref().map(ToString::to_string)
    }

    async fn dial(&self) -> Result<Box<dyn ByteStream>, ConnectError> {
        let (host, port) = self.master().await?;
        let stream = open(&host, port, self.tls.as_ref(), self.each()).await?;
        *self.lock_reached() = Node::new(&host, port);
        Ok(stream)
    }
}

impl SentinelDialer {
    fn lock_reached(&self) -> MutexGuard<'_, Option<Node>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The master by the first sentinel that knows one.
    async fn master(&self) -> Result<(String, u16), ConnectError> {
        let mut last = None;
        for sentinel in &self.sentinels {
            let asked = timeout(self.each(), self.ask(sentinel)).await;
            match asked {
                Ok(Ok(Some(master))) => return Ok(master),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => last = Some(error),
                Err(_) => {
                    last = Some(ConnectError::new(sentinel.to_string(), ConnectReason::TimedOut));
                }
            }
        }
        let none = ConnectError::new(self.address(), ConnectReason::NoMaster);
        match last {
            // A wrong password for the sentinels, or a certificate, is not a matter of time.
            Some(error) if error.reason().is_permanent() => Err(error),
            Some(error) => Err(none.caused_by(error)),
            None => Err(none),
        }
    }

    /// The time for each sentinel, and for the master after them: one that hangs must leave time for
    /// the others.
    fn each(&self) -> Duration {
        self.patience / u32::try_from(self.sentinels.len() + 1).unwrap_or(u32::MAX)
    }

    async fn ask(&self, sentinel: &Node) -> Result<Option<(String, u16)>, ConnectError> {
        let (host, port) = (sentinel.host(), sentinel.port());
        let stream = open(host, port, self.tls.as_ref(), self.each()).await?;
        let address = sentinel.to_string();
        master_of(stream, &self.service, self.credentials.as_ref(), &address).await
    }
}
