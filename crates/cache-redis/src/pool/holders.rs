//! Who holds exclusive connections, and for how long.

use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slab::Slab;
use tokio::time::Instant;

use crate::metrics::Times;

/// A place in the source.
pub(crate) type Place = &'static Location<'static>;

/// The exclusive connections that are handed out.
///
/// What is counted under the lock needs no agreement of its own between processors.
#[derive(Debug)]
pub(crate) struct Holders {
    held: Mutex<Slab<(Instant, Option<Place>)>>,
    count: AtomicUsize,
    at_once: AtomicU64,
    /// How long those were held that came back. It is filled under the lock.
    pub(crate) times: Times,
}

/// An exclusive connection that has been held for longer than `redis.pool.hold_limit`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Leak {
    /// How long it has been held.
    pub held: Duration,
    /// The file and line that took it, in builds with debug assertions.
    pub place: Option<String>,
}

impl Holders {
    pub(crate) fn new() -> Self {
        Self {
            held: Mutex::default(),
            count: AtomicUsize::new(0),
            at_once: AtomicU64::new(0),
            times: Times::new(),
        }
    }

    /// Notes one that is handed out, whether it was there at once, and returns its number.
    pub(crate) fn add(&self, since: Instant, place: Option<Place>, at_once: bool) -> usize {
        let mut held = self.lock();
        if at_once {
            let number = self.at_once.load(Ordering::Relaxed);
            self.at_once.store(number + 1, Ordering::Relaxed);
        }
        let number = held.insert((since, place));
        self.count.store(held.len(), Ordering::Relaxed);
        number
    }

    /// Notes that one has come back after so long.
    pub(crate) fn remove(&self, number: usize, time: Duration) {
        let mut held = self.lock();
        held.remove(number);
        self.count.store(held.len(), Ordering::Relaxed);
        self.times.record_alone(time);
    }

    /// How many are handed out.
    pub(crate) fn get(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many were there at once.
    pub(crate) fn at_once(&self) -> u64 {
        self.at_once.load(Ordering::Relaxed)
    }

    /// Those that have been held for longer than a limit, the longest first.
    pub(crate) fn leaks(&self, limit: Duration) -> Vec<Leak> {
        let mut leaks: Vec<_> = self
            .lock()
            .iter()
            .map(|(_, (since, place))| Leak {
                held: since.elapsed(),
                place: place.map(ToString::to_string),
            })
            .filter(|leak| leak.held > limit)
            .collect();
        leaks.sort_by_key(|leak| std::cmp::Reverse(leak.held));
        leaks
    }

    fn lock(&self) -> MutexGuard<'_, Slab<(Instant, Option<Place>)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_held_for_long_are_told_the_longest_first() {
        let holders = Holders::new();
        let limit = Duration::from_mins(1);
        holders.add(Instant::now(), Some(Location::caller()), true);
        tokio::time::advance(Duration::from_secs(50)).await;
        let short = holders.add(Instant::now(), None, false);
        assert!(holders.leaks(limit).is_empty());
        tokio::time::advance(Duration::from_secs(61)).await;
        let leaks = holders.leaks(limit);
        assert_eq!(leaks.len(), 2);
        assert_eq!(leaks[0].held, Duration::from_secs(111));
        assert!(leaks[0].place.as_ref().unwrap().contains("holders.rs:"));
        assert_eq!((holders.get(), holders.at_once()), (2, 1));
        holders.remove(short, Duration::from_secs(61));
        assert_eq!(holders.leaks(limit).len(), 1);
        let held = holders.times.summary();
        assert_eq!((holders.get(), held.count, held.total), (1, 1, Duration::from_secs(61)));
    }
}
