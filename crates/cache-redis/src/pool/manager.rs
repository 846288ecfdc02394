//! What deadpool asks for connections.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};
use tokio::task::unconstrained;
use tokio::{select, task_local};

use super::shared::Shared;
use crate::ConnectError;
use crate::connect::Backoff;
use crate::connection::Link;
use crate::metrics::Reaped;

task_local! {
    /// The connection that is being taken in.
    static MADE: Cell<Option<Link>>;
}

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
    // On the heap, since it is moved from hand to hand.
    type Type = Box<Link>;
    type Error = NotCreated;

    async fn create(&self) -> Result<Box<Link>, NotCreated> {
        if let Ok(made) = MADE.try_with(Cell::take) {
            return made.map(Box::new).ok_or(NotCreated::Returned);
        }
        // On the heap too, so that those who find an idle connection need not carry its room about.
        Box::pin(self.make()).await.map(Box::new)
    }

    async fn recycle(&self, link: &mut Box<Link>, _: &Metrics) -> RecycleResult<NotCreated> {
        if let Some(idle) = &mut link.idle {
            idle.set(false);
        }
        let pool = self.pool.upgrade();
        if pool.as_ref().is_some_and(|pool| pool.is_usable(link)) {
            return Ok(());
        }
        if let Some(pool) = pool {
            pool.meters.reaped(Reaped::Stale, 1);
        }
        Err(RecycleError::message("the connection is not usable"))
    }
}

impl Shared {
    /// Adds a new connection to the idle ones; false if there is no room for it.
    ///
    /// The pool below has no other way to take one in than to hand out all idle ones until it makes
    /// one, so they are taken and given back together, without a wait in between.
    pub(crate) fn take_in(&self, link: Link) -> bool {
        let mut taken = Vec::new();
        let is_in = MADE.sync_scope(Cell::new(Some(link)), || {
            loop {
                let get = pin!(unconstrained(self.exclusives.get()));
                let got = get.poll(&mut Context::from_waker(Waker::noop()));
                let Poll::Ready(Ok(link)) = got else { return false };
                let is_new = Object::metrics(&link).recycle_count == 0;
                taken.push(link);
                if is_new {
                    return true;
                }
            }
        });
        // In the order in which they were idle; the new one is used last.
        for link in taken.into_iter().rev() {
            self.give_back(link);
        }
        is_in
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
                Ok(_) => pool.meters.reaped(Reaped::Stale, 1),
                Err(error) if error.reason().is_permanent() => {
                    return Err(NotCreated::Failed(error));
                }
                Err(_) => backoff.failed(),
            }
        }
    }
}
