//! The server's time, without asking for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Tells the server's time by what it was when it was last heard of.
///
/// Leases and expiry are by the server's clock, which all processes share.
#[derive(Debug)]
pub(crate) struct ServerTime {
    origin: Instant,
    /// The server's time at the origin, in milliseconds since 1970.
    at_origin: AtomicU64,
}

impl ServerTime {
    pub(crate) fn new(now: u64) -> Self {
        Self { origin: Instant::now(), at_origin: AtomicU64::new(now) }
    }

    pub(crate) fn now(&self) -> u64 {
        self.at_origin.load(Ordering::Relaxed) + self.elapsed()
    }

    /// Hears of the time. After a fail-over that is another machine's.
    pub(crate) fn heard(&self, now: u64) {
        self.at_origin.store(now.saturating_sub(self.elapsed()), Ordering::Relaxed);
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
