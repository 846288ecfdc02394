//! Who holds exclusive connections, and for how long.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A place in the source.
pub(crate) type Place = &'static Location<'static>;

/// The exclusive connections that are handed out.
#[derive(Debug, Default)]
pub(crate) struct Holders(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    next: u64,
    since: BTreeMap<u64, (Instant, Option<Place>)>,
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
    pub(crate) fn add(&self, since: Instant, place: Option<Place>) -> u64 {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = held.next;
        held.next += 1;
        held.since.insert(number, (since, place));
        number
    }

    pub(crate) fn remove(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).since.remove(&number);
    }

    /// Those that have been held for longer than a limit, the longest first.
    pub(crate) fn leaks(&self, limit: Duration) -> Vec<Leak> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut leaks: Vec<_> = held
            .since
            .values()
            .map(|(since, place)| Leak {
                held: since.elapsed(),
                place: place.map(ToString::to_string),
            })
            .filter(|leak| leak.held > limit)
            .collect();
        leaks.sort_by_key(|leak| std::cmp::Reverse(leak.held));
        leaks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn those_held_for_long_are_told_the_longest_first() {
        let holders = Holders::default();
        let limit = Duration::from_mins(1);
        holders.add(Instant::now(), Some(Location::caller()));
        tokio::time::advance(Duration::from_secs(50)).await;
        let short = holders.add(Instant::now(), None);
        assert!(holders.leaks(limit).is_empty());
        tokio::time::advance(Duration::from_secs(61)).await;
        let leaks = holders.leaks(limit);
        assert_eq!(leaks.len(), 2);
        assert_eq!(leaks[0].held, Duration::from_secs(111));
        assert!(leaks[0].place.as_ref().unwrap().contains("holders.rs:"));
        holders.remove(short);
        assert_eq!(holders.leaks(limit).len(), 1);
    }
}
