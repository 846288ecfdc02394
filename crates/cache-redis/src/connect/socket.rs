//! A socket that keeps its permit until the server has seen it close.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::connection::ByteStream;
use crate::pool::cap::Permit;

/// The longest wait for the server to close its side.
const FAREWELL: Duration = Duration::from_secs(1);

/// A byte stream and the permit that it was opened under.
///
/// Dropping it closes the stream in the background: the end is told to the server, and the permit
/// is given back when the server has answered with its own end, so that the server sees no socket
/// more than the pool may have. A server that does not answer holds the permit for a second at
/// most, and outside of a runtime both go at once.
pub(crate) struct Socket(Option<Open>);

struct Open {
    stream: Box<dyn ByteStream>,
    _permit: Permit,
}

impl Socket {
    pub(crate) fn new(stream: Box<dyn ByteStream>, permit: Permit) -> Self {
        Self(Some(Open { stream, _permit: permit }))
    }

    fn stream(self: Pin<&mut Self>) -> io::Result<Pin<&mut dyn ByteStream>> {
        let open = self.get_mut().0.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Pin::new(&mut *open.stream))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let (Some(open), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
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
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
