//! When to ask again.

use std::time::{Duration, SystemTime};

/// A provider that wants to be left alone for longer is not waited for: 30 s.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Pauses that double from attempt to attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retry {
    /// Attempts after the first one.
    pub(super) retries: u32,
    /// The first pause, before chance shortens it.
    pub(super) first: Duration,
    /// The longest one.
    pub(super) longest: Duration,
}

impl Retry {
    /// The pause after an attempt that failed, counted from 0; none where there is no further one.
    ///
    /// What the provider says holds. Otherwise `chance`, from 0 to 1, takes up to half of the pause
    /// away, so that clients that failed together do not come back together.
    pub(super) fn pause(
        &self,
        attempt: u32,
        retry_after: Option<Duration>,
        chance: f64,
    ) -> Option<Duration> {
        if attempt >= self.retries {
            return None;
        }
        if let Some(wait) = retry_after {
            return (wait <= LONGEST_WAIT).then_some(wait);
        }
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt));
        Some(doubled.min(self.longest).mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0))
    }
}

/// Reads a `Retry-After`: seconds, or the date until which to wait.
pub(super) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(header).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_chance_shortens_them() {
        let millis = Duration::from_millis;
        let retry = Retry { retries: 5, first: millis(200), longest: millis(1000) };
        let check = |attempt, after: Option<u64>, chance, expected: Option<u64>| {
            let pause = retry.pause(attempt, after.map(Duration::from_secs), chance);
            assert_eq!(pause, expected.map(millis), "{attempt} {after:?} {chance}");
        };
        check(0, None, 0.0, Some(200));
        check(1, None, 0.0, Some(400));
        check(2, None, 0.0, Some(800));
        check(3, None, 0.0, Some(1000));
        check(4, None, 0.0, Some(1000));
        check(5, None, 0.0, None);
        check(0, None, 1.0, Some(100));
        check(1, None, 0.5, Some(300));
        check(0, Some(7), 1.0, Some(7000));
        check(0, Some(0), 0.0, Some(0));
        check(0, Some(30), 0.0, Some(30_000));
        check(0, Some(31), 0.0, None);
        check(5, Some(0), 0.0, None);
    }

    #[test]
    fn what_the_provider_says_is_read_in_both_forms() {
        // The date is 784,111,777 s after the beginning of 1970.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
        let check = |header: &str, expected: Option<u64>| {
            let found = retry_after(header, now);
            assert_eq!(found, expected.map(Duration::from_secs), "{header:?}");
        };
        check("0", Some(0));
        check(" 120 ", Some(120));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(7));
        check("Sun, 06 Nov 1994 08:49:00 GMT", Some(0));
        check("", None);
        check("-1", None);
        check("soon", None);
    }
}
