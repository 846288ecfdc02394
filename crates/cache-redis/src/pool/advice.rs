//! What to change, in words.

use std::fmt;
use std::time::Duration;

use super::holders::Leak;
use crate::{PoolSettings, PoolSnapshot};

/// The part of a pool that should be active at the busiest time.
const TARGET: f64 = 0.7;

/// Above this part, the next peak finds no room.
const BUSY: f64 = 0.9;

/// Below this part, most of the pool is never used.
const QUIET: f64 = 0.2;

/// The wait that 99 of 100 callers should not exceed.
const LONG_WAIT: Duration = Duration::from_millis(10);

/// What is quiet for less than that may only be starting.
const LONG_ENOUGH: Duration = Duration::from_mins(1);

/// Something to change, and why.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Advice {
    /// The pool is too small.
    RaiseSize {
        /// The size of now.
        from: usize,
        /// A size at which seven tenths would be active.
        to: usize,
        /// The greatest part that was active.
        utilisation: f64,
        /// The wait for what others used that 99 of 100 callers did not exceed.
        wait: Duration,
    },
    /// The pool is larger than its load.
    LowerSize {
        /// The size of now.
        from: usize,
        /// A size at which seven tenths would be active.
        to: usize,
        /// The greatest part that was active.
        utilisation: f64,
    },
    /// Callers gave up while all was in use.
    Exhausted {
        /// How many.
        callers: u64,
    },
    /// The server could not be connected to.
    ConnectFailures {
        /// How many attempts failed.
        attempts: u64,
    },
    /// An exclusive connection is not given back.
    Leak(Leak),
}

impl fmt::Display for Advice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RaiseSize { from, to, utilisation, wait } => {
                let used = utilisation * 100.0;
                write!(formatter, "raise redis.pool.size from {from} to {to}: ")?;
                write!(formatter, "up to {used:.0} % were in use")?;
                if *wait > Duration::ZERO {
                    write!(formatter, ", and one caller in a hundred waited {wait:.1?} or longer")?;
                }
                Ok(())
            }
            Self::LowerSize { from, to, utilisation } => write!(
                formatter,
                "lower redis.pool.size from {from} to {to}: no more than {:.0} % were in use",
                utilisation * 100.0
            ),
            Self::Exhausted { callers } => write!(
                formatter,
                "{callers} callers gave up while all connections were in use: raise \
                 redis.pool.size, raise redis.pool.timeout for short peaks, or hold exclusive \
                 connections for a shorter time"
            ),
            Self::ConnectFailures { attempts } => write!(
                formatter,
                "{attempts} attempts to connect failed: see that the server runs, and raise \
                 redis.pool.connect_timeout if it is far away"
            ),
            Self::Leak(Leak { held, place }) => {
                write!(formatter, "an exclusive connection has been held for {held:.0?}")?;
                match place {
                    Some(place) => write!(formatter, ", taken at {place}"),
                    None => formatter.write_str("; a debug build says where it was taken"),
                }
            }
        }
    }
}

/// Figures of a while.
pub(super) struct Window<'a> {
    pub(super) before: &'a PoolSnapshot,
    pub(super) now: &'a PoolSnapshot,
    pub(super) time: Duration,
    /// The most sockets that were active at a time.
    pub(super) peak: usize,
    /// The sockets that one lane has: in a cluster one to each node.
    pub(super) per_lane: usize,
}

/// Reads what has happened within a while.
#[expect(clippy::cast_precision_loss, reason = "a pool has at most 65535 sockets")]
pub(super) fn give(bounds: &PoolSettings, window: &Window<'_>, leaks: Vec<Leak>) -> Vec<Advice> {
    let Window { before, now, time, peak, per_lane } = window;
    let from = now.status.size;
    let utilisation = if from == 0 { 0.0 } else { *peak as f64 / from as f64 };
    let wait = now.queued.since(&before.queued).quantile(0.99);
    let exhausted = now.exhausted - before.exhausted;
    let mut advice = Vec::new();
    // Where the server is away, callers wait for that, and more sockets would not help.
    let failed = failures(now) - failures(before);
    let is_away = failed > 0 && now.connected == before.connected;
    let to = needed(bounds, window).max(*peak as f64);
    let to = round_up(to / TARGET).max(1).next_multiple_of(*per_lane);
    if !is_away && (utilisation > BUSY || wait > LONG_WAIT) {
        advice.push(Advice::RaiseSize {
            from,
            to: to.max((from + 1).next_multiple_of(*per_lane)),
            utilisation,
            wait,
        });
    } else if !is_away && utilisation < QUIET && *time >= LONG_ENOUGH && to < from {
        advice.push(Advice::LowerSize { from, to, utilisation });
    }
    if exhausted > 0 {
        advice.push(Advice::Exhausted { callers: exhausted });
    }
    if failed > 0 {
        advice.push(Advice::ConnectFailures { attempts: failed });
    }
    advice.extend(leaks.into_iter().map(Advice::Leak));
    advice
}

/// The sockets in use on average, by Little's law: what is in a system is the rate at which it
/// comes times the time that it stays. Each socket of a lane carries many commands at a time.
fn needed(bounds: &PoolSettings, window: &Window<'_>) -> f64 {
    let Window { before, now, time, .. } = window;
    let seconds = time.as_secs_f64().max(f64::MIN_POSITIVE);
    let depth = u32::try_from(bounds.lane_depth).unwrap_or(u32::MAX);
    let in_flight = now.lane_operations.since(&before.lane_operations).total.as_secs_f64();
    let held = now.held.since(&before.held).total.as_secs_f64();
    (in_flight / f64::from(depth) + held) / seconds
}

fn failures(snapshot: &PoolSnapshot) -> u64 {
    snapshot.connect_failures.iter().map(|(_, count)| count).sum()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative")]
fn round_up(number: f64) -> usize {
    number.ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PoolStatus;
    use crate::metrics::Times;

    fn times(count: u32, each: Duration) -> crate::TimeSummary {
        let times = Times::new();
        for _ in 0..count {
            times.record(each);
        }
        times.summary()
    }

    fn advice(now: PoolSnapshot, peak: usize) -> Vec<Advice> {
        advice_with(now, peak, 1)
    }

    fn advice_with(now: PoolSnapshot, peak: usize, per_lane: usize) -> Vec<Advice> {
        let bounds = crate::RedisSettings::default().pool;
        let now = PoolSnapshot { status: PoolStatus { size: 100, ..now.status }, ..now };
        let before = PoolSnapshot::default();
        let time = Duration::from_secs(100);
        give(&bounds, &Window { before: &before, now: &now, time, peak, per_lane }, Vec::new())
    }

    #[test]
    fn a_pool_in_its_bounds_needs_no_advice() {
        let now =
            PoolSnapshot { queued: times(100, Duration::from_micros(1)), ..Default::default() };
        assert_eq!(advice(now, 70), []);
    }

    #[test]
    fn a_busy_pool_is_to_be_raised() {
        let now =
            PoolSnapshot { queued: times(100, Duration::from_millis(1)), ..Default::default() };
        let found = advice(now, 95);
        let [Advice::RaiseSize { from: 100, to: 136, .. }] = found[..] else { panic!("{found:?}") };
        let text = found[0].to_string();
        assert!(text.starts_with("raise redis.pool.size from 100 to 136: up to 95 %"), "{text}");
    }

    #[test]
    fn waits_ask_for_what_littles_law_says() {
        // 1,000 connections held for 20 s within 100 s are 200 at a time: 286 at seven tenths.
        let now = PoolSnapshot {
            queued: times(100, Duration::from_millis(50)),
            held: times(1000, Duration::from_secs(20)),
            ..Default::default()
        };
        let found = advice(now, 50);
        assert!(matches!(found[..], [Advice::RaiseSize { to: 286, .. }]), "{found:?}");
        // The same commands on lanes need 128 times fewer, so it is one more than now.
        let now = PoolSnapshot {
            queued: times(100, Duration::from_millis(50)),
            lane_operations: times(1000, Duration::from_secs(20)),
            ..Default::default()
        };
        let found = advice(now, 50);
        assert!(matches!(found[..], [Advice::RaiseSize { to: 101, .. }]), "{found:?}");
    }

    #[test]
    fn lanes_of_a_cluster_come_with_a_socket_to_each_node() {
        let found = advice_with(PoolSnapshot::default(), 7, 6);
        assert!(matches!(found[..], [Advice::LowerSize { to: 12, .. }]), "{found:?}");
        let now =
            PoolSnapshot { queued: times(100, Duration::from_millis(1)), ..Default::default() };
        let found = advice_with(now, 95, 6);
        assert!(matches!(found[..], [Advice::RaiseSize { to: 138, .. }]), "{found:?}");
        // 2,000,000 s in flight over 100 s on sockets of 128 are 157, and 224 at seven tenths.
        let now = PoolSnapshot {
            queued: times(100, Duration::from_millis(50)),
            lane_operations: times(100_000, Duration::from_secs(20)),
            ..Default::default()
        };
        let found = advice_with(now, 10, 6);
        assert!(matches!(found[..], [Advice::RaiseSize { to: 228, .. }]), "{found:?}");
    }

    #[test]
    fn a_quiet_pool_is_to_be_lowered() {
        let found = advice(PoolSnapshot::default(), 7);
        assert!(matches!(found[..], [Advice::LowerSize { to: 10, .. }]), "{found:?}");
    }

    #[test]
    fn a_server_that_is_away_is_not_a_matter_of_size() {
        let now = PoolSnapshot {
            queued: times(100, Duration::from_secs(30)),
            connect_failures: vec![("refused", 7)],
            ..Default::default()
        };
        assert_eq!(advice(now, 100), [Advice::ConnectFailures { attempts: 7 }]);
    }
}
