//! New connections, within the bounds of the pool.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::cap::{CapClosed, Permit};
use super::generation::Generation;
use super::shared::{Servers, Shared};
use crate::connect::{Backoff, Socket};
use crate::connection::{Dialer, Link, LinkHandle};
use crate::metrics::Reaped;
use crate::{ConnectError, ConnectReason};

/// A connection that was idle for so long is asked for a sign of life before it is used. One that
/// the server or the network has ended is known to be dead without that.
pub(crate) const LONG_IDLE: Duration = Duration::from_secs(30);

impl Shared {
    /// Waits until an attempt to connect may begin: for the time after the last one, for a socket,
    /// and for the rate. A future that is dropped leaves nothing behind.
    pub(crate) async fn may_connect(&self, backoff: &Backoff) -> Result<Permit, CapClosed> {
        let wait = backoff.next_wait();
        if !wait.is_zero() {
            sleep(wait).await;
        }
        if self.is_closed() {
            return Err(CapClosed);
        }
        let permit = self.sockets.acquire().await?;
        self.governor.turn().await;
        Ok(permit)
    }

    /// Tries once to connect, log in and check the server.
    pub(crate) async fn connect(&self, permit: Permit) -> Result<Link, Arc<ConnectError>> {
        // Taken before the attempt: what it leads to may be what fails meanwhile.
        let generation = self.generations.current();
        let pool = self.weak();
        let ended = move || {
            if let Some(pool) = pool.upgrade() {
                pool.observe_failure(generation);
            }
        };
        match &self.servers {
            Servers::One(dialer) => self.connect_as(generation, &**dialer, permit, ended).await,
            // It has no connections but those of lanes to its nodes.
            Servers::Cluster(_) => {
                Err(Arc::new(ConnectError::new(&*self.address, ConnectReason::Protocol)))
            }
        }
    }

    /// Tries once to connect to a node of a cluster. `ended` is called when the connection ends by
    /// itself.
    pub(crate) async fn connect_over(
        &self,
        dialer: &dyn Dialer,
        permit: Permit,
        ended: impl FnOnce() + Send + 'static,
    ) -> Result<Link, Arc<ConnectError>> {
        self.connect_as(self.generations.current(), dialer, permit, ended).await
    }

    async fn connect_as(
        &self,
        generation: Generation,
        dialer: &dyn Dialer,
        permit: Permit,
        ended: impl FnOnce() + Send + 'static,
    ) -> Result<Link, Arc<ConnectError>> {
        let address = dialer.address();
        // On the heap, so that callers who find a connection need not carry its room about.
        let attempt = Box::pin(async {
            let stream = dialer.dial().await?;
            let socket = Socket::new(stream, permit);
            let (login, bounds) = (&self.login, &self.bounds);
            Link::open(socket, login, &address, bounds, generation, ended).await
        });
        let outcome = match timeout(self.bounds.connect_timeout, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ConnectError::new(&*address, ConnectReason::TimedOut)),
        };
        match outcome {
            Ok(link) => {
                self.meters.connected();
                self.set_last_failure(None);
                Ok(link)
            }
            Err(error) => {
                let error = Arc::new(error);
                tracing::debug!(%error, "an attempt to connect failed");
                self.meters.connect_failed(error.reason());
                self.set_last_failure(Some(Arc::clone(&error)));
                Err(error)
            }
        }
    }

    /// Takes an idle exclusive connection for a lane.
    pub(crate) fn adopt_idle(&self) -> Option<Link> {
        let mut found = false;
        let taken = self.exclusives.retain(|_, _| std::mem::replace(&mut found, true));
        let mut link = *taken.removed.into_iter().next()?;
        link.idle = None;
        let is_usable = self.is_usable(&link);
        if !is_usable {
            self.meters.reaped(Reaped::Stale, 1);
        }
        is_usable.then_some(link)
    }

    /// Whether a connection still works: one that was idle for long is asked.
    pub(crate) async fn is_proven(&self, link: &Link) -> bool {
        if link.idle_since.elapsed() < LONG_IDLE {
            return true;
        }
        let is_proven = self.gives_sign(link.handle()).await;
        if !is_proven {
            self.meters.reaped(Reaped::Stale, 1);
            // Others that were idle as long are dead too, and must not be tried in turn.
            self.observe_failure(link.generation);
        }
        is_proven
    }

    /// Waits for a sign of life.
    pub(crate) async fn gives_sign(&self, handle: LinkHandle) -> bool {
        timeout(self.bounds.connect_timeout, handle.fence()).await == Ok(true)
    }
}
