//! One connection through a proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use super::cut::{Cut, Ruling};
use super::fault::{End, Fault, hold};
use super::log::Happened;

const PIECE: usize = 16 * 1024;

/// An order to end a connection, and whom to tell that it is done.
pub(super) type Order = (End, oneshot::Sender<()>);

/// Bytes, and when they came. What a client sends is always read, so that its closing is seen; a
/// test's clients send little.
type Piece = (Instant, Vec<u8>);

/// What a connection needs.
pub(super) struct Link {
    pub(super) id: u64,
    pub(super) client: Arc<TcpStream>,
    pub(super) target: SocketAddr,
    pub(super) fault: watch::Receiver<Fault>,
    pub(super) cut: Arc<Cut>,
}

/// How forwarding came to its end.
pub(super) struct Outcome {
    pub(super) happened: Happened,
    pub(super) end: End,
    /// Whoever ordered it, and waits for it.
    pub(super) done: Option<oneshot::Sender<()>>,
}

impl Link {
    /// Forwards until one side is through, or an order comes.
    pub(super) async fn forward(&self, orders: &mut UnboundedReceiver<Order>) -> Outcome {
        let (to_server, from_client) = unbounded_channel();
        let outcome = |happened, end| Outcome { happened, end, done: None };
        let outcome = tokio::select! {
            // In this order: a client that is gone is never told to have been cut.
            biased;
            () = read_client(&self.client, Some(&to_server)) => {
                outcome(Happened::ClosedByClient, End::Close)
            }
            Some((end, done)) = orders.recv() => {
                Outcome { happened: Happened::Ended, end, done: Some(done) }
            }
            (happened, end) = self.serve(from_client) => outcome(happened, end),
        };
        self.cut.release(self.id);
        outcome
    }

    /// Reads what the client says and drops it, until the client or an order ends that.
    pub(super) async fn swallow(&self, orders: &mut UnboundedReceiver<Order>) -> Outcome {
        loop {
            tokio::select! {
                biased;
                () = read_client(&self.client, None) => {
                    let happened = Happened::ClosedByClient;
                    return Outcome { happened, end: End::Close, done: None };
                }
                Some((end, done)) = orders.recv() => {
                    if end != End::Silence {
                        return Outcome { happened: Happened::Ended, end, done: Some(done) };
                    }
                    let _ = done.send(());
                }
            }
        }
    }

    async fn serve(&self, from_client: UnboundedReceiver<Piece>) -> (Happened, End) {
        let lost = (Happened::ClosedByServer, End::Reset);
        hold(&mut self.fault.clone(), Instant::now(), false).await;
        let Ok(server) = TcpStream::connect(self.target).await else { return lost };
        if server.set_nodelay(true).is_err() {
            return lost;
        }
        let (read, write) = server.into_split();
        let (to_client, from_server) = unbounded_channel();
        // What feeds the deliveries does not end them: the server's last bytes may still be held,
        // or be unread where it takes no more.
        let feed = async {
            let _ = tokio::join!(self.send(from_client, write), read_server(read, to_client));
            std::future::pending().await
        };
        tokio::select! {
            outcome = self.deliver(from_server) => outcome,
            never = feed => never,
        }
    }

    /// Brings the client's bytes to the server.
    async fn send(
        &self,
        mut from_client: UnboundedReceiver<Piece>,
        mut server: OwnedWriteHalf,
    ) -> io::Result<()> {
        let mut fault = self.fault.clone();
        while let Some((arrived, bytes)) = from_client.recv().await {
            hold(&mut fault, arrived, false).await;
            server.write_all(&bytes).await?;
        }
        Ok(())
    }

    /// Brings the server's bytes to the client.
    async fn deliver(
        &self,
        mut from_server: UnboundedReceiver<io::Result<Piece>>,
    ) -> (Happened, End) {
        let mut fault = self.fault.clone();
        while let Some(received) = from_server.recv().await {
            let Ok((arrived, bytes)) = received else {
                return (Happened::ClosedByServer, End::Reset);
            };
            hold(&mut fault, arrived, true).await;
            let ruling = self.cut.rule(self.id, bytes.len());
            let (bytes, end) = match ruling {
                Ruling::Pass => (&bytes[..], None),
                Ruling::Cut(length, end) => (&bytes[..length], Some(end)),
            };
            // A client that takes no more is seen where it is read.
            if write_client(&self.client, bytes).await.is_err() {
                return std::future::pending().await;
            }
            if let Some(end) = end {
                return (Happened::Cut, end);
            }
        }
        // The end of the stream is held as its bytes are.
        hold(&mut fault, Instant::now(), false).await;
        (Happened::ClosedByServer, End::Close)
    }
}

/// Reads until the client closes its end or breaks.
async fn read_client(client: &TcpStream, to_server: Option<&UnboundedSender<Piece>>) {
    let mut buffer = vec![0; PIECE];
    loop {
        if client.readable().await.is_err() {
            return;
        }
        match client.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                if let Some(to_server) = to_server {
                    let piece = (Instant::now(), buffer[..length].to_vec());
                    // Nobody takes it where the server is gone; the client is read nevertheless.
                    let _ = to_server.send(piece);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

async fn write_client(client: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        client.writable().await?;
        match client.try_write(bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn read_server(mut server: OwnedReadHalf, to_client: UnboundedSender<io::Result<Piece>>) {
    let mut buffer = vec![0; PIECE];
    loop {
        let read = server.read(&mut buffer).await;
        let piece = match read {
            Ok(0) => return,
            Ok(length) => Ok((Instant::now(), buffer[..length].to_vec())),
            Err(error) => Err(error),
        };
        let is_last = piece.is_err();
        if to_client.send(piece).is_err() || is_last {
            return;
        }
    }
}
