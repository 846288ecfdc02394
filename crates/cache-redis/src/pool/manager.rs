//! What deadpool asks for connections.

use std::sync::{Arc, Weak};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use tokio::select;

use super::shared::Shared;
use crate::ConnectError;
use crate::connect::Backoff;
use crate::connection::Link;

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
        // On the heap, so that those who find an idle connection need not carry its room about.
        Box::pin(self.make()).await
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<NotCreated> {
        link.idle = None;
        match self.pool.upgrade() {
            Some(pool) if pool.is_usable(link) => Ok(()),
            _ => Err(RecycleError::message("the connection is not usable")),
        }
    }
}

impl Manager {
    async fn make(&self) -> Result<Link, NotCreated> {
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
}
