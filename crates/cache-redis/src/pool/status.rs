//! What a pool looks like at a moment.

use std::fmt;

/// The sockets of a pool at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PoolStatus {
    /// The most sockets that may be open.
    pub size: usize,
    /// Exclusive connections handed out, and lanes with a command in flight; in a cluster
    /// connections to its nodes with a command in flight.
    pub active: usize,
    /// All other sockets that are open and ready.
    pub idle: usize,
    /// Callers that wait for a connection, or for a place on a lane.
    pub waiting: usize,
    /// Lanes that are open.
    pub lanes: usize,
    /// Commands on lanes that have not been answered yet.
    pub in_flight: usize,
}

impl PoolStatus {
    /// The active part of the size. From 0.6 to 0.8 at the busiest time is a good figure.
    #[expect(clippy::cast_precision_loss, reason = "a pool has at most 65535 sockets")]
    pub fn utilisation(&self) -> f64 {
        if self.size == 0 { 0.0 } else { self.active as f64 / self.size as f64 }
    }
}

impl fmt::Display for PoolStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, active, idle, waiting, .. } = self;
        write!(formatter, "size {size}, active {active}, idle {idle}, waiting {waiting}")
    }
}

/// What a caller of the pool is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitingFor {
    /// For one of the connections that others use.
    Turn,
    /// For a new connection, or for the answer to a PING on one that was idle for long.
    Connection,
    /// For a place on a lane.
    Lane,
    /// For the answer to an earlier command of the same key, in a cluster.
    Key,
}

impl WaitingFor {
    /// Which setting to turn.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Turn => {
                "all connections are in use: raise redis.pool.size, hold them for a shorter time, \
                 or raise redis.pool.timeout"
            }
            Self::Connection => {
                "the server does not answer: see that it runs, and raise redis.pool.timeout if it \
                 is only slow"
            }
            Self::Key => {
                "in a cluster one command of a key is sent at a time: send several as one pipeline, \
                 or raise redis.pool.timeout"
            }
            Self::Lane => {
                "all lanes are full: raise redis.pool.size or redis.pool.lane_depth, or \
                 redis.pool.timeout"
            }
        }
    }
}

impl fmt::Display for WaitingFor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Turn => "a connection that others use",
            Self::Connection => "a new connection",
            Self::Lane => "a place on a lane",
            Self::Key => "the answer to an earlier command of its key",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utilisation_is_the_active_part() {
        let status = PoolStatus { size: 10, active: 7, ..PoolStatus::default() };
        assert!((status.utilisation() - 0.7).abs() < 1e-9);
        assert!(PoolStatus::default().utilisation().abs() < 1e-9);
        assert_eq!(status.to_string(), "size 10, active 7, idle 0, waiting 0");
    }
}
