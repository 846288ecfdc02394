//! The ranges of the pool's settings.

use std::ops::{Bound, RangeBounds};
use std::time::Duration;

use super::PoolSettings;
use crate::PoolError;

/// A duration that is not zero and can be added to any point in time.
pub(super) const SOME_TIME: (Bound<Duration>, Bound<Duration>) =
    (Bound::Excluded(Duration::ZERO), Bound::Included(Duration::from_hours(365 * 24)));

/// The most connections: one address has no more ports to connect from.
pub(crate) const MOST_CONNECTIONS: u16 = u16::MAX;

/// The most commands that one connection may have in flight.
pub(super) const DEEPEST_LANE: i64 = 100_000;

/// The most attempts to connect in a second that can be asked for.
pub(super) const FASTEST_CONNECTING: i64 = 100_000;

impl PoolSettings {
    /// Whether a pool can keep to these settings, which may have been changed since they were read.
    pub(crate) fn check(&self) -> Result<(), PoolError> {
        let most = usize::from(MOST_CONNECTIONS);
        number("redis.pool.size", self.size, 1, most)?;
        number("redis.pool.max_idle", self.max_idle, 0, most)?;
        number("redis.pool.min_idle", self.min_idle, 0, most)?;
        number("redis.pool.lane_depth", self.lane_depth, 1, whole(DEEPEST_LANE))?;
        number("redis.pool.connect_rate", self.connect_rate, 1, whole(FASTEST_CONNECTING))?;
        time("redis.pool.timeout", self.timeout)?;
        time("redis.pool.idle_timeout", self.idle_timeout)?;
        time("redis.pool.connect_timeout", self.connect_timeout)?;
        time("redis.pool.response_timeout", self.response_timeout)?;
        time("redis.pool.hold_limit", self.hold_limit)?;
        self.max_lifetime.map_or(Ok(()), |age| time("redis.pool.max_lifetime", age))
    }
}

fn whole(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn number(key: &'static str, value: usize, least: usize, most: usize) -> Result<(), PoolError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(PoolError::Setting { key, expected: format!("from {least} to {most}, not {value}") })
}

fn time(key: &'static str, value: Duration) -> Result<(), PoolError> {
    if SOME_TIME.contains(&value) {
        return Ok(());
    }
    let expected = format!("more than zero and at most 365 days, not {value:?}");
    Err(PoolError::Setting { key, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RedisSettings;

    #[test]
    fn what_was_changed_out_of_its_range_is_refused_by_name() {
        let check = |change: fn(&mut PoolSettings), expected: &str| {
            let mut settings = RedisSettings::default().pool;
            settings.check().unwrap();
            change(&mut settings);
            assert_eq!(settings.check().unwrap_err().to_string(), expected);
        };
        check(|pool| pool.size = 0, "redis.pool.size must be from 1 to 65535, not 0");
        check(
            |pool| pool.size = 1 << 40,
            "redis.pool.size must be from 1 to 65535, not 1099511627776",
        );
        check(
            |pool| pool.max_idle = 1 << 16,
            "redis.pool.max_idle must be from 0 to 65535, not 65536",
        );
        check(
            |pool| pool.min_idle = 1 << 16,
            "redis.pool.min_idle must be from 0 to 65535, not 65536",
        );
        check(|pool| pool.lane_depth = 0, "redis.pool.lane_depth must be from 1 to 100000, not 0");
        check(
            |pool| pool.connect_rate = 0,
            "redis.pool.connect_rate must be from 1 to 100000, not 0",
        );
        for (key, change) in [
            ("timeout", (|pool, time| pool.timeout = time) as fn(&mut PoolSettings, Duration)),
            ("idle_timeout", |pool, time| pool.idle_timeout = time),
            ("connect_timeout", |pool, time| pool.connect_timeout = time),
            ("response_timeout", |pool, time| pool.response_timeout = time),
            ("hold_limit", |pool, time| pool.hold_limit = time),
            ("max_lifetime", |pool, time| pool.max_lifetime = Some(time)),
        ] {
            for value in [Duration::ZERO, Duration::MAX] {
                let mut settings = RedisSettings::default().pool;
                change(&mut settings, value);
                let error = settings.check().unwrap_err().to_string();
                assert!(error.starts_with(&format!("redis.pool.{key} must be more")), "{error}");
            }
        }
    }
}
