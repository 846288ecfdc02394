//! How often the pool may try to connect.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

/// The time that a rate is counted over.
const WINDOW: Duration = Duration::from_secs(1);

/// The wait after the first attempt that failed; it doubles with each further one.
const SHORTEST: Duration = Duration::from_millis(20);

/// The longest wait between two attempts, so that a server that is back is noticed soon.
const LONGEST: Duration = Duration::from_millis(500);

/// Lets attempts through in the order of coming, at most so many within any second.
#[derive(Debug)]
pub(crate) struct Governor {
    rate: usize,
    turn: Semaphore,
    recent: Mutex<VecDeque<Instant>>,
}

impl Governor {
    pub(crate) fn new(rate: usize) -> Self {
        Self { rate, turn: Semaphore::new(1), recent: Mutex::default() }
    }

    /// Waits until an attempt may begin, and counts it. A future that is dropped counts nothing.
    pub(crate) async fn turn(&self) {
        let _turn = self.turn.acquire().await;
        while let Err(later) = self.try_turn() {
            sleep_until(later).await;
        }
    }

    fn try_turn(&self) -> Result<(), Instant> {
        let now = Instant::now();
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.front().is_some_and(|begun| *begun + WINDOW <= now) {
            recent.pop_front();
        }
        match recent.front() {
            Some(oldest) if recent.len() >= self.rate => Err(*oldest + WINDOW),
            _ => {
                recent.push_back(now);
                Ok(())
            }
        }
    }
}

/// Waits between attempts that double, each shortened by up to a half at random, so that those who
/// failed together do not come back together.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait before the next attempt: none before the first one.
    pub(crate) fn next_wait(&self) -> Duration {
        let Some(doublings) = self.failures.checked_sub(1) else { return Duration::ZERO };
        let whole = SHORTEST.saturating_mul(1 << doublings.min(10)).min(LONGEST);
        whole.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// Notes that an attempt failed.
    pub(crate) fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_attempts_than_the_rate() {
        let governor = std::sync::Arc::new(Governor::new(100));
        let begun = Instant::now();
        let attempts: Vec<_> = (0..1000)
            .map(|_| {
                let governor = std::sync::Arc::clone(&governor);
                tokio::spawn(async move {
                    governor.turn().await;
                    Instant::now()
                })
            })
            .collect();
        let mut times = Vec::new();
        for attempt in attempts {
            times.push(attempt.await.unwrap());
        }
        assert!(times.is_sorted(), "they go in the order of coming");
        for window in times.windows(101) {
            assert!(window[100] - window[0] >= WINDOW);
        }
        assert!(times[999] - begun < Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_given_up_is_not_counted() {
        let governor = Governor::new(1);
        governor.turn().await;
        let begun = Instant::now();
        for _ in 0..10 {
            let waiting = tokio::time::timeout(Duration::from_millis(10), governor.turn());
            assert!(waiting.await.is_err());
        }
        governor.turn().await;
        assert_eq!(begun.elapsed(), WINDOW);
    }

    #[test]
    fn waits_double_and_are_bounded() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next_wait(), Duration::ZERO);
        let mut whole = SHORTEST;
        for _ in 0..100 {
            backoff.failed();
            let wait = backoff.next_wait();
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} {whole:?}");
            whole = (whole * 2).min(LONGEST);
        }
    }
}
