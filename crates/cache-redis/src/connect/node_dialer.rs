//! TCP and TLS connections to one server.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::tls::is_tls;
use crate::connection::{ByteStream, Dialer};
use crate::{ConnectError, ConnectReason, Node};

/// Leads to a server that the settings name.
pub(crate) struct NodeDialer {
    node: Node,
    tls: Option<TlsConnector>,
    /// The time of an attempt, which the addresses of the server's name share.
    patience: Duration,
}

impl NodeDialer {
    pub(crate) fn new(node: Node, tls: Option<TlsConnector>, patience: Duration) -> Self {
        Self { node, tls, patience }
    }
}

#[async_trait]
impl Dialer for NodeDialer {
    fn address(&self) -> String {
        self.node.to_string()
    }

    async fn dial(&self) -> Result<Box<dyn ByteStream>, ConnectError> {
        open(self.node.host(), self.node.port(), self.tls.as_ref(), self.patience).await
    }
}

/// Opens a stream to a host, trying its addresses one after the other.
pub(super) async fn open(
    host: &str,
    port: u16,
    tls: Option<&TlsConnector>,
    patience: Duration,
) -> Result<Box<dyn ByteStream>, ConnectError> {
    let failed = |reason| ConnectError::new(format!("{host}:{port}"), reason);
    let addresses: Vec<_> = lookup_host((host, port))
        .await
        .map_err(|error| failed(ConnectReason::Name).caused_by(error))?
        .collect();
    let stream = match connect(&addresses, patience).await {
        Some(Ok(stream)) => stream,
        Some(Err(error)) => return Err(failed(reason_of(&error)).caused_by(error)),
        None => return Err(failed(ConnectReason::Name)),
    };
    stream.set_nodelay(true).map_err(|error| failed(ConnectReason::Lost).caused_by(error))?;
    let Some(tls) = tls else { return Ok(Box::new(stream)) };
    encrypt(host, stream, tls).await.map_err(|error| {
        let reason = if is_tls(&error) { ConnectReason::Tls } else { ConnectReason::Lost };
        failed(reason).caused_by(error)
    })
}

/// A stream to the first address that takes it, or what became of the last one; nothing where there
/// is no address. One that answers nothing leaves as much time for each of the others.
async fn connect(addresses: &[SocketAddr], patience: Duration) -> Option<io::Result<TcpStream>> {
    let (last, others) = addresses.split_last()?;
    let each = patience / u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in others {
        if let Ok(Ok(stream)) = timeout(each, TcpStream::connect(address)).await {
            return Some(Ok(stream));
        }
    }
    // This one has all the time that is left, which is up to the caller.
    Some(TcpStream::connect(last).await)
}

async fn encrypt(
    host: &str,
    stream: TcpStream,
    tls: &TlsConnector,
) -> io::Result<Box<dyn ByteStream>> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    Ok(Box::new(tls.connect(name, stream).await?))
}

fn reason_of(error: &io::Error) -> ConnectReason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectReason::Refused,
        io::ErrorKind::TimedOut => ConnectReason::TimedOut,
        _ => ConnectReason::Lost,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};
    use tokio::time::Instant;

    use super::*;

    /// A place that takes no further connection and refuses none, and what keeps it so.
    async fn hole() -> (SocketAddr, impl Sized) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut kept = Vec::new();
        while let Ok(Ok(stream)) =
            timeout(Duration::from_millis(100), TcpStream::connect(address)).await
        {
            kept.push(stream);
        }
        (address, (listener, kept))
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_answers_nothing_leaves_time_for_the_others() {
        let (silent, _kept) = hole().await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let works = listener.local_addr().unwrap();
        let patience = Duration::from_secs(6);
        let begun = Instant::now();
        let stream = connect(&[silent, silent, works], patience).await.unwrap().unwrap();
        assert_eq!(stream.peer_addr().unwrap(), works);
        assert_eq!(begun.elapsed(), patience / 3 * 2);
        // One that refuses costs no time.
        let refuses = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
        let begun = Instant::now();
        connect(&[refuses, works], patience).await.unwrap().unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert!(connect(&[works, refuses], patience).await.unwrap().is_ok());
        let error = connect(&[refuses], patience).await.unwrap().unwrap_err();
        assert_eq!(reason_of(&error), ConnectReason::Refused);
        assert!(connect(&[], patience).await.is_none());
    }
}
