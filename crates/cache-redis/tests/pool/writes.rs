//! How many writes commands take.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use cache_redis::ConnectError;
use cache_redis::connection::{ByteStream, Dialer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use crate::script::{Script, builder, echo};

/// Counts what is written to a script.
struct Counting {
    script: Script,
    writes: Arc<AtomicUsize>,
}

struct Counted {
    stream: Box<dyn ByteStream>,
    writes: Arc<AtomicUsize>,
}

#[async_trait]
impl Dialer for Counting {
    fn address(&self) -> String {
        self.script.address()
    }

    async fn dial(&self) -> Result<Box<dyn ByteStream>, ConnectError> {
        let stream = self.script.dial().await?;
        Ok(Box::new(Counted { stream, writes: Arc::clone(&self.writes) }))
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut *self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(context)
    }
}

#[tokio::test(start_paused = true)]
async fn commands_on_a_lane_go_out_together() {
    // Whether the lane was opened for itself, or was an exclusive connection before.
    for was_exclusive in [false, true] {
        let writes = Arc::new(AtomicUsize::new(0));
        let dialer = Counting { script: Script::new(), writes: Arc::clone(&writes) };
        let pool = builder(&[]).dialer(dialer).build().await.unwrap();
        if was_exclusive {
            drop(pool.get().await.unwrap());
        }
        pool.any_lane().run(&echo("open")).await.unwrap();
        let before = writes.load(Ordering::Relaxed);
        let go = Arc::new(Notify::new());
        // One alone would go out at once.
        let [first, second] = ["first", "second"].map(|word| {
            let lane = pool.any_lane();
            tokio::spawn(async move { lane.run(&echo(word)).await })
        });
        // It comes when the connection has been woken for the others already.
        let third = tokio::spawn({
            let (lane, go) = (pool.any_lane(), Arc::clone(&go));
            async move {
                go.notified().await;
                lane.run(&echo("third")).await
            }
        });
        tokio::spawn(async move { go.notify_one() });
        for command in [first, second, third] {
            command.await.unwrap().unwrap();
        }
        assert_eq!(writes.load(Ordering::Relaxed) - before, 1, "{was_exclusive}");
    }
}
