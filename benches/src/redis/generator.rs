//! A writer of ready-made bytes: what the server does where the client does next to nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use redis_testkit::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::bare::Bare;
use super::load::CONVERSATIONS;
use crate::ledger::{Outcome, per_second};

/// Answers are read in pieces of at most so many bytes.
const PIECE: usize = 64 << 10;

/// Pipelines requests that it does not make and answers that it does not read: it counts lines.
pub(super) struct Generator {
    /// One for each conversation, as bare appends are sent.
    requests: Arc<[Vec<u8>]>,
    address: SocketAddr,
    sockets: Vec<TcpStream>,
    /// Lines of an answer.
    lines: usize,
}

impl Generator {
    /// For the conversations of bare appends, which exist already.
    pub(super) async fn new(server: &RedisServer, bare: &Bare) -> Outcome<Self> {
        let requests = (0..CONVERSATIONS).map(|number| bare.pipeline(number).get_packed_pipeline());
        let (requests, address) = (requests.collect(), server.address());
        let mut generator = Self { requests, address, sockets: Vec::new(), lines: 0 };
        generator.connect(1).await?;
        generator.lines = generator.lines_of_an_answer().await?;
        Ok(generator)
    }

    /// Sees to it that there are so many sockets.
    pub(super) async fn connect(&mut self, count: usize) -> Outcome<()> {
        self.sockets.truncate(count);
        while self.sockets.len() < count {
            let socket = TcpStream::connect(self.address).await?;
            socket.set_nodelay(true)?;
            self.sockets.push(socket);
        }
        Ok(())
    }

    /// Appends a second with so many in flight, as many on each socket.
    pub(super) async fn rate(&mut self, in_flight: usize, count: usize) -> Outcome<f64> {
        let sockets = self.sockets.len();
        let share = |whole: usize, place: usize| (whole + place) / sockets;
        let begun = Instant::now();
        let mut writers = JoinSet::new();
        for (place, socket) in self.sockets.drain(..).enumerate() {
            let writer = Writer {
                requests: Arc::clone(&self.requests),
                lines: self.lines,
                // A conversation stays on a socket, as on a connection.
                place,
                sockets,
                in_flight: share(in_flight, place).max(1),
                count: share(count, place),
            };
            writers.spawn(writer.write(socket));
        }
        while let Some(ended) = writers.join_next().await {
            self.sockets.push(ended??);
        }
        Ok(per_second(count, begun.elapsed()))
    }

    /// Asks for a PONG behind an append, and sees how many lines come before it.
    async fn lines_of_an_answer(&mut self) -> Outcome<usize> {
        let socket = self.sockets.first_mut().ok_or("there is no socket")?;
        socket.write_all(&self.requests[0]).await?;
        socket.write_all(b"PING\r\n").await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"+PONG\r\n") {
            if socket.read_buf(&mut answer).await? == 0 {
                return Err("the server closed a connection".into());
            }
        }
        Ok(lines(&answer) - 1)
    }
}

/// What one socket does.
struct Writer {
    requests: Arc<[Vec<u8>]>,
    lines: usize,
    place: usize,
    sockets: usize,
    in_flight: usize,
    count: usize,
}

impl Writer {
    /// Sends as many requests as were answered, until all are answered.
    async fn write(self, mut socket: TcpStream) -> Outcome<TcpStream> {
        let mut requests = self.requests.iter().skip(self.place).step_by(self.sockets).cycle();
        let (mut piece, mut bytes) = (vec![0; PIECE], Vec::new());
        let (mut sent, mut seen) = (0, 0);
        loop {
            let answered = seen / self.lines;
            if answered >= self.count {
                return Ok(socket);
            }
            let due = (answered + self.in_flight).min(self.count);
            bytes.clear();
            for request in requests.by_ref().take(due - sent) {
                bytes.extend_from_slice(request);
            }
            sent = due;
            socket.write_all(&bytes).await?;
            match socket.read(&mut piece).await? {
                0 => return Err("the server closed a connection".into()),
                read => seen += lines(&piece[..read]),
            }
        }
    }
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}
