//! What deadpool asks for connections.

use std::sync::{Arc, Weak};
use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::select;
use tokio::time::timeout;

use super::shared::Shared;
use crate::ConnectError;
use crate::connect::Backoff;
use crate::connection::Link;

/// A connection that was idle for so long is asked for a sign of life before it is used. One that
/// the server or the network has ended is known to be dead without that.
const LONG_IDLE: Duration = Duration::from_secs(30);

/// Makes the exclusive connections of a pool, and tells which of them can be used again.
#[derive(Debug)]
pub(crate) struct Manager {
    pool: Weak<Shared>,
}

/// Why there is no new connection.
#[derive(Debug)]
pub(crate) enum NotCreated {
    /// A connection was given back meanwhile: look again before making another one.
    Returned,
    /// The pool is closed.
    Closed,
    /// It would fail again.
    Failed(Arc<ConnectError>),
}

impl Manager {
    pub(crate) fn new(pool: Weak<Shared>) -> Self {
        Self { pool }
    }
}

impl managed::Manager for Manager {
    type Type = Link;
    type Error = NotCreated;

    async fn create(&self) -> Result<Link, NotCreated> {
        let pool = self.pool.upgrade().ok_or(NotCreated::Closed)?;
        let _waiting = pool.waiting.mark();
        let mut backoff = Backoff::default();
        loop {
            // An attempt that has begun is not given up for a connection that comes back: the
            // server would see one socket after the other come and go.
            let permit = select! {
                biased;
                () = pool.returned.notified() => return Err(NotCreated::Returned),
                permit = pool.may_connect(&backoff) => permit.map_err(|_| NotCreated::Closed)?,
            };
            match pool.connect(permit).await {
                Ok(link) if pool.is_usable(&link) => return Ok(link),
                Ok(_) => {}
                Err(error) if error.reason().is_permanent() => {
                    return Err(NotCreated::Failed(error));
                }
                Err(_) => backoff.failed(),
            }
        }
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<NotCreated> {
        link.idle = None;
        let refused = || Err(RecycleError::message("the connection is not usable"));
        let Some(pool) = self.pool.upgrade() else { return refused() };
        if !pool.is_usable(link) {
            return refused();
        }
        if link.idle_since.elapsed() >= LONG_IDLE {
            let answered = timeout(pool.bounds.connect_timeout, link.ping()).await;
            if answered != Ok(true) {
                // Others that were idle as long are dead too, and must not be tried in turn.
                pool.observe_failure(link.generation);
                return refused();
            }
        }
        Ok(())
    }
}
