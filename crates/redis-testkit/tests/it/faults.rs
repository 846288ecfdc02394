//! The proxy does what its faults say.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis_testkit::{End, Fault, FaultProxy, Happened};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::within;

const WORDS: &[u8] = b"twelve bytes";

/// A server that answers what it is told, and the number of its connections: made, and open.
struct Echo {
    address: SocketAddr,
    made: Arc<AtomicUsize>,
    open: watch::Receiver<usize>,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let made = Arc::new(AtomicUsize::new(0));
        let (counted, open) = watch::channel(0);
        let (counted, seen) = (Arc::new(counted), made.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                seen.fetch_add(1, Ordering::SeqCst);
                counted.send_modify(|open| *open += 1);
                let counted = counted.clone();
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                    counted.send_modify(|open| *open -= 1);
                });
            }
        });
        Self { address, made, open }
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    async fn wait_for_open(&mut self, open: usize) {
        within(self.open.wait_for(|now| *now == open)).await.unwrap();
    }
}

async fn start() -> (Echo, FaultProxy) {
    let echo = Echo::start().await;
    let proxy = FaultProxy::start(echo.address).unwrap();
    (echo, proxy)
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends the words and reads them back.
async fn echo(stream: &mut TcpStream) {
    stream.write_all(WORDS).await.unwrap();
    read_words(stream).await;
}

async fn read_words(stream: &mut TcpStream) {
    let mut read = [0; WORDS.len()];
    within(stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(read, WORDS);
}

/// Reads what comes until the connection ends, and how it ends.
async fn read_to_end(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut read = Vec::new();
    let end = within(stream.read_to_end(&mut read)).await;
    (read, end.err().map(|error| error.kind()))
}

/// Whether nothing can be read, and no end either.
fn is_silent(stream: &TcpStream) -> bool {
    stream.try_read(&mut [0; 1]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test]
async fn without_a_fault_everything_is_forwarded() {
    let (mut server, proxy) = start().await;
    let mut stream = connect(&proxy).await;
    echo(&mut stream).await;
    echo(&mut stream).await;
    stream.shutdown().await.unwrap();
    server.wait_for_open(0).await;
    within(proxy.wait_for(|log| log.open == 0)).await.unwrap();
    let log = proxy.log();
    assert_eq!((log.accepted, log.most_open), (1, 1));
    assert_eq!(log.count(Happened::ClosedByClient), 1);
}

#[tokio::test]
async fn a_reply_is_held_for_the_delay() {
    let (_server, proxy) = start().await;
    let mut stream = connect(&proxy).await;
    proxy.set_fault(Fault::Delay(Duration::from_millis(1))).await.unwrap();
    echo(&mut stream).await;
    // One that outlasts the test: what is held comes when the fault is over, and not before.
    proxy.set_fault(Fault::Delay(Duration::from_hours(1))).await.unwrap();
    stream.write_all(WORDS).await.unwrap();
    let mut other = connect(&proxy).await;
    other.write_all(WORDS).await.unwrap();
    within(proxy.wait_for(|log| log.accepted == 2)).await.unwrap();
    assert!(is_silent(&stream) && is_silent(&other));
    proxy.set_fault(Fault::None).await.unwrap();
    read_words(&mut stream).await;
    read_words(&mut other).await;
}

async fn check_cut(after: u64, end: End, expected: Option<ErrorKind>) {
    let (mut server, proxy) = start().await;
    let mut stream = connect(&proxy).await;
    echo(&mut stream).await;
    proxy.cut_reply(after, end);
    stream.write_all(WORDS).await.unwrap();
    let (read, how) = read_to_end(&mut stream).await;
    assert_eq!((&read[..], how), (&WORDS[..usize::try_from(after).unwrap()], expected));
    server.wait_for_open(0).await;
    assert_eq!(proxy.log().count(Happened::Cut), 1);
    // It happens once.
    echo(&mut connect(&proxy).await).await;
}

#[tokio::test]
async fn a_reply_is_cut_after_any_of_its_bytes() {
    for after in 0..=WORDS.len() as u64 {
        check_cut(after, End::Close, None).await;
    }
    check_cut(0, End::Reset, Some(ErrorKind::ConnectionReset)).await;
    check_cut(5, End::Reset, Some(ErrorKind::ConnectionReset)).await;
}

#[tokio::test]
async fn a_cut_in_silence_leaves_the_client_waiting() {
    let (mut server, proxy) = start().await;
    let mut stream = connect(&proxy).await;
    proxy.cut_reply(4, End::Silence);
    stream.write_all(WORDS).await.unwrap();
    let mut read = [0; 4];
    within(stream.read_exact(&mut read)).await.unwrap();
    assert_eq!(&read, b"twel");
    server.wait_for_open(0).await;
    stream.write_all(WORDS).await.unwrap();
    assert!(is_silent(&stream));
    assert_eq!(proxy.log().open, 1);
    drop(stream);
    within(proxy.wait_for(|log| log.open == 0)).await.unwrap();
}

#[tokio::test]
async fn a_cut_can_be_taken_back() {
    let (_server, proxy) = start().await;
    let mut stream = connect(&proxy).await;
    proxy.cut_reply(3, End::Close);
    proxy.spare_reply();
    echo(&mut stream).await;
}

#[tokio::test]
async fn a_black_hole_swallows_until_it_is_closed() {
    let (server, proxy) = start().await;
    let mut open = connect(&proxy).await;
    echo(&mut open).await;
    proxy.set_fault(Fault::BlackHole).await.unwrap();
    open.write_all(WORDS).await.unwrap();
    let mut new = connect(&proxy).await;
    new.write_all(WORDS).await.unwrap();
    let gone = connect(&proxy).await;
    within(proxy.wait_for(|log| log.open == 3)).await.unwrap();
    drop(gone);
    // A client that gives up is seen nevertheless.
    within(proxy.wait_for(|log| log.open == 2)).await.unwrap();
    assert!(is_silent(&open) && is_silent(&new));
    assert_eq!(server.made(), 1);
    proxy.set_fault(Fault::None).await.unwrap();
    read_words(&mut open).await;
    read_words(&mut new).await;
    assert_eq!(server.made(), 2);
}

#[tokio::test]
async fn connections_are_reset_as_long_as_that_is_set() {
    let (mut server, proxy) = start().await;
    let mut open = connect(&proxy).await;
    echo(&mut open).await;
    proxy.set_fault(Fault::Reset).await.unwrap();
    assert_eq!(read_to_end(&mut open).await, (vec![], Some(ErrorKind::ConnectionReset)));
    server.wait_for_open(0).await;
    // The reset may come while the client still connects.
    let how = match TcpStream::connect(proxy.address()).await {
        Ok(mut new) => read_to_end(&mut new).await.1,
        Err(error) => Some(error.kind()),
    };
    assert_eq!(how, Some(ErrorKind::ConnectionReset));
    assert_eq!(server.made(), 1);
    proxy.set_fault(Fault::None).await.unwrap();
    echo(&mut connect(&proxy).await).await;
}

#[tokio::test]
async fn connections_are_refused_while_nothing_listens() {
    let (_server, proxy) = start().await;
    let mut open = connect(&proxy).await;
    echo(&mut open).await;
    for _ in 0..3 {
        proxy.set_fault(Fault::Refuse).await.unwrap();
        let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        echo(&mut open).await;
        proxy.set_fault(Fault::None).await.unwrap();
        echo(&mut connect(&proxy).await).await;
    }
}

async fn check_end(end: End, expected: Option<ErrorKind>) {
    let (mut server, proxy) = start().await;
    let mut streams = [connect(&proxy).await, connect(&proxy).await];
    for stream in &mut streams {
        echo(stream).await;
    }
    assert_eq!(proxy.end_all(end).await.unwrap(), 2);
    assert_eq!(proxy.log().open, 0);
    for stream in &mut streams {
        assert_eq!(read_to_end(stream).await, (vec![], expected));
    }
    server.wait_for_open(0).await;
    assert_eq!(proxy.end_all(end).await.unwrap(), 0);
}

#[tokio::test]
async fn open_connections_are_closed_or_reset_at_once() {
    check_end(End::Close, None).await;
    check_end(End::Reset, Some(ErrorKind::ConnectionReset)).await;
}

#[tokio::test]
async fn a_half_open_connection_is_known_to_its_client_only() {
    let (mut server, proxy) = start().await;
    let mut stream = connect(&proxy).await;
    echo(&mut stream).await;
    assert_eq!(proxy.end_all(End::Silence).await.unwrap(), 1);
    server.wait_for_open(0).await;
    stream.write_all(WORDS).await.unwrap();
    assert_eq!(proxy.end_all(End::Silence).await.unwrap(), 1);
    assert!(is_silent(&stream));
    assert_eq!(proxy.log().open, 1);
    assert_eq!(proxy.end_all(End::Close).await.unwrap(), 1);
    assert_eq!(read_to_end(&mut stream).await.0, b"");
    assert_eq!(proxy.log().open, 0);
}

#[tokio::test]
async fn a_server_that_is_gone_resets_its_clients() {
    let (_server, proxy) = start().await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    proxy.set_target(gone);
    // The reset may come while the client still connects.
    if let Ok(mut stream) = TcpStream::connect(proxy.address()).await {
        assert_eq!(read_to_end(&mut stream).await, (vec![], Some(ErrorKind::ConnectionReset)));
    }
    within(proxy.wait_for(|log| log.count(Happened::ClosedByServer) == 1)).await.unwrap();
}

#[tokio::test]
async fn sockets_that_follow_each_other_are_never_counted_together() {
    let (_server, proxy) = start().await;
    for _ in 0..200 {
        drop(connect(&proxy).await);
    }
    let mut kept = Vec::new();
    for _ in 0..5 {
        kept.push(connect(&proxy).await);
    }
    within(proxy.wait_for(|log| log.accepted == 205)).await.unwrap();
    assert_eq!(proxy.log().most_open, 5);
    drop(kept);
    within(proxy.wait_for(|log| log.open == 0)).await.unwrap();
}

#[tokio::test]
async fn a_proxy_takes_its_connections_along() {
    let (mut server, proxy) = start().await;
    let mut stream = connect(&proxy).await;
    echo(&mut stream).await;
    drop(proxy);
    server.wait_for_open(0).await;
    assert_eq!(read_to_end(&mut stream).await.0, b"");
}
