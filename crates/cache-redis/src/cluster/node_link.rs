//! A connection to a node.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use super::server::Server;
use crate::connection::Link;
use crate::pool::{LONG_IDLE, Mark, Shared};

/// A connection of a lane to a node. It is closed when the last command on it is done.
pub(crate) struct NodeLink {
    pub(crate) link: Link,
    pub(crate) server: Arc<Server>,
    /// Whether nothing new is sent on it.
    is_retired: AtomicBool,
    /// When it was last used, in milliseconds of the pool's age.
    used: AtomicU64,
    _open: Mark,
}

impl NodeLink {
    pub(crate) fn new(link: Link, server: Arc<Server>, shared: &Shared, open: Mark) -> Self {
        let link = Self {
            link,
            server,
            is_retired: AtomicBool::new(false),
            used: AtomicU64::new(0),
            _open: open,
        };
        link.touch(shared);
        link
    }

    /// Whether a command may be sent on it.
    pub(crate) fn is_usable(&self) -> bool {
        self.link.is_alive() && !self.is_retired.load(Ordering::Acquire)
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

    /// Whether it was not used for so long.
    pub(crate) fn is_idle_for(&self, time: Duration, shared: &Shared) -> bool {
        let used = self.used.load(Ordering::Relaxed);
        milliseconds(shared.born.elapsed()).saturating_sub(used) >= milliseconds(time)
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
