//! A socket that keeps its permit until the server has seen it close.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::connection::ByteStream;
use crate::pool::Count;
use crate::pool::cap::Permit;

/// The longest wait for the server to close its side.
const FAREWELL: Duration = Duration::from_secs(1);

/// The commands in flight from which on others have their turn before each write. For one alone a
/// round would wake another worker at each command, and bring nothing.
const GATHERED_FROM: usize = 2;

/// A byte stream and the permit that it was opened under.
///
/// Dropping it closes the stream in the background: the end is told to the server, and the permit
/// is given back when the server has answered with its own end, so that the server sees no socket
/// more than the pool may have. A server that does not answer holds the permit for a second at
/// most, and outside of a runtime both go at once.
pub(crate) struct Socket {
    /// There until it is dropped.
    open: Option<Open>,
    /// Commands in flight, as far as those who share it count them.
    in_flight: Count,
    /// Whether others had their turn before the next write.
    has_gathered: bool,
}

struct Open {
    stream: Box<dyn ByteStream>,
    _permit: Permit,
}

impl Socket {
    pub(crate) fn new(stream: Box<dyn ByteStream>, permit: Permit) -> Self {
        let open = Some(Open { stream, _permit: permit });
        Self { open, in_flight: Count::default(), has_gathered: false }
    }

    /// Where those who share it count their commands in flight.
    pub(crate) fn in_flight(&self) -> Count {
        self.in_flight.clone()
    }

    /// Whether it is time for others before the next write.
    fn is_gathering(&mut self) -> bool {
        self.in_flight.get() >= GATHERED_FROM && !std::mem::replace(&mut self.has_gathered, true)
    }

    fn stream(self: Pin<&mut Self>) -> io::Result<Pin<&mut dyn ByteStream>> {
        let open = self.get_mut().open.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(&mut *open.stream))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let (Some(open), Ok(runtime)) = (self.open.take(), Handle::try_current()) {
            runtime.spawn(say_farewell(open));
        }
    }
}

async fn say_farewell(mut open: Open) {
    let ended = async {
        open.stream.shutdown().await?;
        // Replies that nobody waits for any more may still come before the end.
        let mut rest = [0; 4096];
        while open.stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    // Whatever comes of it, the socket is closed and then the permit is given back.
    let _ = timeout(FAREWELL, ended).await;
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Tasks that can run now may have commands too: with one round for them before each write,
        // many commands go out in one. A write is the dearest part of a command.
        if self.is_gathering() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let written = self.as_mut().stream()?.poll_write(context, bytes);
        self.has_gathered = written.is_pending();
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::io::duplex;

    use super::*;
    use crate::pool::cap::Cap;

    #[tokio::test]
    async fn who_can_run_does_so_before_each_write_of_those_who_share() {
        let (client, mut server) = duplex(64);
        let mut socket = Socket::new(Box::new(client), Cap::new(1).try_acquire().unwrap());
        let in_flight = socket.in_flight();
        for expected in [
            ["written", "another"],
            ["written", "another"],
            ["another", "written"],
            ["another", "written"],
        ] {
            if expected[0] == "another" {
                in_flight.set(GATHERED_FROM);
            }
            let order = RefCell::new(Vec::new());
            let write = async {
                socket.write_all(b"word").await.unwrap();
                order.borrow_mut().push("written");
            };
            tokio::join!(biased; write, async { order.borrow_mut().push("another") });
            assert_eq!(order.into_inner(), expected);
            let mut bytes = [0; 4];
            server.read_exact(&mut bytes).await.unwrap();
            assert_eq!(&bytes, b"word");
        }
    }
}
