//! A connection to a node.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use super::server::Server;
use crate::connection::{Cancelled, Link};
use crate::pool::{Count, Generation, LONG_IDLE, Mark, Shared};

/// A connection of a lane to a node. It is closed when the last command on it is done.
pub(crate) struct NodeLink {
    pub(crate) link: Link,
    pub(crate) server: Arc<Server>,
    generation: Generation,
    /// Commands that are not answered yet.
    in_flight: Count,
    pub(crate) cancelled: Cancelled,
    /// Whether nothing new is sent on it.
    is_retired: AtomicBool,
    /// When it was last used, in milliseconds of the pool's age.
    used: AtomicU64,
    _open: Mark,
}

impl NodeLink {
    /// A connection to a server, begun in a generation of those to it.
    pub(super) fn new(
        link: Link,
        server: Arc<Server>,
        generation: Generation,
        shared: &Shared,
        open: Mark,
    ) -> Self {
        let in_flight = link.in_flight();
        let link = Self {
            link,
            server,
            generation,
            in_flight,
            cancelled: Cancelled::default(),
            is_retired: AtomicBool::new(false),
            used: AtomicU64::new(0),
            _open: open,
        };
        link.touch(shared);
        link
    }

    /// Whether a command may be sent on it.
    pub(crate) fn is_usable(&self) -> bool {
        self.link.is_alive()
            && !self.is_retired.load(Ordering::Acquire)
            && self.generation == self.server.generation()
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation
    }

    /// Counts a command on it until the mark is dropped.
    pub(crate) fn occupy(&self) -> Mark {
        self.in_flight.mark()
    }

    /// How many commands on it are not answered yet.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.get()
    }

    /// Whether it was used lately, or else gives a sign of life.
    pub(super) async fn is_proven(&self, shared: &Shared) -> bool {
        if !self.is_idle_for(LONG_IDLE, shared) {
            return true;
        }
        let fence = self.link.handle().fence();
        let is_alive = timeout(shared.bounds.connect_timeout, fence).await == Ok(true);
        if is_alive {
            self.touch(shared);
        } else {
            self.retire();
        }
        is_alive
    }

    /// Lets nothing new be sent on it.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
    }

    /// Notes that it was used.
    pub(crate) fn touch(&self, shared: &Shared) {
        self.used.store(milliseconds(shared.born.elapsed()), Ordering::Relaxed);
    }

    /// When it was last used, in milliseconds of the pool's age.
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether it was not used for so long.
    pub(crate) fn is_idle_for(&self, time: Duration, shared: &Shared) -> bool {
        milliseconds(shared.born.elapsed()).saturating_sub(self.used()) >= milliseconds(time)
    }
}

impl fmt::Debug for NodeLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NodeLink").field("server", &self.server).finish_non_exhaustive()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
