//! Logging that a storm of failures does not turn into a storm of lines.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The least time between two lines of one kind.
const INTERVAL: Duration = Duration::from_secs(10);

/// Lets one line through every ten seconds, and counts the others.
///
/// # Examples
///
/// ```
/// let limit = tokens::LogLimit::new();
/// assert_eq!(limit.admit(), Some(0));
/// assert_eq!(limit.admit(), None);
/// ```
#[derive(Debug)]
pub struct LogLimit {
    start: Instant,
    /// Milliseconds from `start` from which the next line may pass.
    next: AtomicU64,
    suppressed: AtomicU64,
}

impl LogLimit {
    /// A limit that lets the first line through.
    pub fn new() -> Self {
        Self { start: Instant::now(), next: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }

    /// Whether a line may be logged now; if so, how many were not since the last one.
    pub fn admit(&self) -> Option<u64> {
        self.admit_at(Instant::now())
    }

    fn admit_at(&self, now: Instant) -> Option<u64> {
        let now = millis(now.saturating_duration_since(self.start));
        let next = self.next.load(Ordering::Relaxed);
        let free = now >= next
            && self
                .next
                .compare_exchange(
                    next,
                    now.saturating_add(millis(INTERVAL)),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok();
        if free {
            Some(self.suppressed.swap(0, Ordering::Relaxed))
        } else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

impl Default for LogLimit {
    fn default() -> Self {
        Self::new()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_passes_in_each_interval() {
        let limit = LogLimit::new();
        let check = |seconds, expected| {
            let now = limit.start + Duration::from_secs(seconds);
            assert_eq!(limit.admit_at(now), expected, "{seconds} s");
        };
        check(0, Some(0));
        check(0, None);
        check(9, None);
        check(10, Some(2));
        check(11, None);
        check(100, Some(1));
        check(110, Some(0));
    }
}
