//! A proxy, as tests hold it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use super::cut::Cut;
use super::fault::{End, Fault};
use super::listener::{Command, Shared, run};
use super::log::Log;
use crate::error::Error;
use crate::ports;

/// Stands between clients and a server, and does what a bad network does.
///
/// It runs on a thread of its own with a clock of its own, so that neither a busy runtime nor a
/// paused clock of a test changes what it does. Dropping it closes every connection.
///
/// # Examples
///
/// ```
/// use redis_testkit::{End, Fault, FaultProxy, RedisServer};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let server = RedisServer::builder().start().await?;
/// let proxy = FaultProxy::start(server.address())?;
/// // Clients connect to `proxy.address()`.
/// proxy.set_fault(Fault::BlackHole).await?;
/// proxy.set_fault(Fault::None).await?;
/// proxy.cut_reply(3, End::Close);
/// assert_eq!(proxy.log().most_open, 0);
/// # Ok::<(), redis_testkit::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    commands: Option<UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl FaultProxy {
    /// Listens on a free port of `127.0.0.1` and forwards to `target`.
    ///
    /// # Errors
    ///
    /// [`Error::NoPort`] and [`Error::Listen`].
    pub fn start(target: SocketAddr) -> Result<Self, Error> {
        let (listener, port) = ports::listen()?;
        let failed = |source| Error::Listen { port, source };
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(failed)?
        };
        let (log, _) = watch::channel(Log::default());
        let cut = Arc::new(Cut::default());
        let shared = Arc::new(Shared { port, target: Mutex::new(target), log, cut });
        let (commands, received) = unbounded_channel();
        let seen = shared.clone();
        let thread = std::thread::Builder::new()
            .name("fault-proxy".to_owned())
            .spawn(move || runtime.block_on(run(listener, seen, received)))
            .map_err(failed)?;
        Ok(Self { shared, commands: Some(commands), thread: Some(thread) })
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        ports::local(self.shared.port)
    }

    /// The port of [`address`](Self::address).
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// Sends connections that are accepted from now on to another server.
    pub fn set_target(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    /// Sets what happens to connections from now on, also to the open ones.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`] where the port of a proxy that refused connections was taken meanwhile.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have set it.
    pub async fn set_fault(&self, fault: Fault) -> Result<(), Error> {
        self.order(|done| Command::Set(fault, done)).await?
    }

    /// Ends every open connection, and returns how many there were, when it is done.
    ///
    /// # Errors
    ///
    /// [`Error::ProxyEnded`] where its thread is gone.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have ended them.
    pub async fn end_all(&self, end: End) -> Result<usize, Error> {
        self.order(|done| Command::End(end, done)).await
    }

    /// Ends one connection as soon as `after` more bytes of replies have been delivered to it: the
    /// first that receives any. With 0 it is ended when a reply comes, before its first byte. It
    /// happens once, so that the client can connect again; a new call replaces an older one.
    pub fn cut_reply(&self, after: u64, end: End) {
        self.shared.cut.arm(after, end);
    }

    /// Takes back a cut that has not happened.
    pub fn spare_reply(&self) {
        self.shared.cut.disarm();
    }

    /// What it has seen until now.
    pub fn log(&self) -> Log {
        self.shared.log.borrow().clone()
    }

    /// Returns when what it has seen is as the test waits for, at once if it is so already.
    ///
    /// # Errors
    ///
    /// [`Error::ProxyEnded`] where its thread is gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only waits.
    pub async fn wait_for(&self, condition: impl FnMut(&Log) -> bool) -> Result<(), Error> {
        let mut log = self.shared.log.subscribe();
        log.wait_for(condition).await.map(drop).map_err(|_| self.ended())
    }

    async fn order<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, Error> {
        let (done, waiting) = oneshot::channel();
        let commands = self.commands.as_ref().ok_or_else(|| self.ended())?;
        commands.send(command(done)).map_err(|_| self.ended())?;
        waiting.await.map_err(|_| self.ended())
    }

    fn ended(&self) -> Error {
        Error::ProxyEnded { port: self.shared.port }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed; the test fails for want of its answers.
            let _ = thread.join();
        }
    }
}
