//! TCP and TLS connections to one server.

use std::io;

use async_trait::async_trait;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::tls::is_tls;
use crate::connection::{ByteStream, Dialer};
use crate::{ConnectError, ConnectReason, Node};

/// Leads to a server that the settings name.
pub(crate) struct NodeDialer {
    node: Node,
    tls: Option<TlsConnector>,
}

impl NodeDialer {
    pub(crate) fn new(node: Node, tls: Option<TlsConnector>) -> Self {
        Self { node, tls }
    }
}

#[async_trait]
impl Dialer for NodeDialer {
    fn address(&self) -> String {
        self.node.to_string()
    }

    async fn dial(&self) -> Result<Box<dyn ByteStream>, ConnectError> {
        open(self.node.host(), self.node.port(), self.tls.as_ref()).await
    }
}

/// Opens a stream to a host, trying its addresses one after the other.
pub(super) async fn open(
    host: &str,
    port: u16,
    tls: Option<&TlsConnector>,
) -> Result<Box<dyn ByteStream>, ConnectError> {
    let failed = |reason| ConnectError::new(format!("{host}:{port}"), reason);
    let addresses = lookup_host((host, port))
        .await
        .map_err(|error| failed(ConnectReason::Name).caused_by(error))?;
    let mut last = failed(ConnectReason::Name);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream
                    .set_nodelay(true)
                    .map_err(|error| failed(ConnectReason::Lost).caused_by(error))?;
                let Some(tls) = tls else { return Ok(Box::new(stream)) };
                return encrypt(host, stream, tls).await.map_err(|error| {
                    let reason =
                        if is_tls(&error) { ConnectReason::Tls } else { ConnectReason::Lost };
                    failed(reason).caused_by(error)
                });
            }
            Err(error) => last = failed(reason_of(&error)).caused_by(error),
        }
    }
    Err(last)
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
