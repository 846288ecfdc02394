//! The server's time, without asking for it.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// How long what was heard of the time is relied on.
const FRESH: Duration = Duration::from_mins(1);

/// Tells the server's time by what it was when it was last heard of.
///
/// Leases and expiry are by the server's clock, which all processes share.
#[derive(Debug)]
pub(crate) struct ServerTime(RwLock<Heard>);

#[derive(Debug, Clone, Copy)]
struct Heard {
    /// The server's time in milliseconds since 1970.
    time: u64,
    /// When that was, by clocks of which one stands still while the machine sleeps, and the other
    /// may be set.
    at: (Instant, SystemTime),
}

impl ServerTime {
    pub(crate) fn new(time: u64) -> Self {
        Self(RwLock::new(Heard { time, at: (Instant::now(), SystemTime::now()) }))
    }

    pub(crate) fn now(&self) -> u64 {
        let Heard { time, at: (at, _) } = self.last();
        time.saturating_add(u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Whether the time was heard of lately, by either clock.
    pub(crate) fn is_fresh(&self) -> bool {
        let (at, by_calendar) = self.last().at;
        at.elapsed() < FRESH && by_calendar.elapsed().is_ok_and(|elapsed| elapsed < FRESH)
    }

    /// Hears of the time. After a fail-over that is another machine's.
    pub(crate) fn heard(&self, time: u64) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) =
            Heard { time, at: (Instant::now(), SystemTime::now()) };
    }

    fn last(&self) -> Heard {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// As if the machine had slept since.
    #[cfg(test)]
    pub(crate) fn sleep(&self, time: Duration) {
        self.0.write().unwrap().at.1 -= time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_before_a_sleep_is_not_relied_on() {
        let time = ServerTime::new(1_000_000);
        assert!(time.is_fresh() && time.now() >= 1_000_000);
        time.sleep(FRESH);
        assert!(!time.is_fresh());
        time.heard(2_000_000);
        assert!(time.is_fresh() && time.now() >= 2_000_000);
    }
}
