//! What was found.

use std::fmt;
use std::time::Duration;

use crate::Advice;

/// What [`RedisPool::diagnose`](crate::RedisPool::diagnose) found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// Each server that holds a part of the data.
    pub servers: Vec<ServerReport>,
    /// How long a server takes to answer; nothing if it refuses PING.
    pub round_trip: Option<RoundTrip>,
    /// How much goes through when much is in flight; nothing if it refuses PING.
    pub throughput: Option<Throughput>,
    /// What is not as it should be.
    pub concerns: Vec<Concern>,
    /// What the figures of the pool suggest to change.
    pub advice: Vec<Advice>,
}

impl Diagnosis {
    /// Whether a server is known to be of a version that is not supported.
    pub fn is_unsupported(&self) -> bool {
        self.concerns.iter().any(|concern| matches!(concern, Concern::Unsupported { .. }))
    }
}

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ServerReport {
    /// Its address.
    pub address: String,
    /// Whether it is Valkey, and not Redis.
    pub is_valkey: bool,
    /// Its own version, where it tells it.
    pub version: Option<String>,
    /// The version of Redis that it is compatible with; for Redis its own.
    pub compatible: Option<String>,
    /// The bytes that its data may take; nothing where there is no limit, or it tells none.
    pub max_memory: Option<u64>,
    /// What it does when these are taken: `noeviction`, `allkeys-lru` and others.
    pub eviction_policy: Option<String>,
}

impl fmt::Display for ServerReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let product = if self.is_valkey { "Valkey" } else { "Redis" };
        let version = self.version.as_deref().unwrap_or("of an unknown version");
        write!(formatter, "{}: {product} {version}, ", self.address)?;
        match self.max_memory {
            Some(bytes) => write!(formatter, "maxmemory {bytes} bytes")?,
            None => formatter.write_str("no maxmemory")?,
        }
        match &self.eviction_policy {
            Some(policy) => write!(formatter, ", {policy}"),
            None => Ok(()),
        }
    }
}

/// Times from a PING to its answer, with one in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoundTrip {
    /// How many were measured.
    pub count: usize,
    /// Half of them took no longer.
    pub median: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
}

impl fmt::Display for RoundTrip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, median, p99 } = self;
        write!(formatter, "p50 {median:.1?}, p99 {p99:.1?}, over {count} PINGs")
    }
}

/// PINGs over lanes, many in flight.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Throughput {
    /// How many were in flight.
    pub in_flight: usize,
    /// How many were answered in a second.
    pub per_second: f64,
}

impl fmt::Display for Throughput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { in_flight, per_second } = self;
        write!(formatter, "{per_second:.0} commands a second with {in_flight} in flight over lanes")
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Concern {
    /// The server is older than what is supported.
    Unsupported {
        /// Its address.
        address: String,
        /// Its version.
        version: String,
    },
    /// The server does not tell its version.
    UnknownVersion {
        /// Its address.
        address: String,
    },
    /// The server removes keys by itself when its memory is full.
    Eviction {
        /// Its address.
        address: String,
        /// The bytes that its data may take.
        max_memory: u64,
        /// Which keys it removes.
        policy: String,
    },
    /// The server refused a command that is asked here.
    Refused {
        /// Its address.
        address: String,
        /// The command.
        command: &'static str,
        /// The first word of its answer.
        code: String,
    },
    /// The server, one of several, could not be reached or did not answer.
    Unusable {
        /// Its address.
        address: String,
        /// What happened.
        reason: String,
    },
    /// Connections ended while they were used.
    Lost {
        /// How many.
        connections: usize,
    },
}

impl fmt::Display for Concern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported { address, version } => write!(
                formatter,
                "{address} runs version {version}, and 7.0 is the oldest that is supported"
            ),
            Self::UnknownVersion { address } => {
                write!(
                    formatter,
                    "{address} does not tell its version, which has to be 7.0 or later"
                )
            }
            Self::Eviction { address, max_memory, policy } => {
                let keys = match policy.strip_prefix("volatile-") {
                    Some(_) => "keys that have a time to live",
                    None => "any keys",
                };
                write!(
                    formatter,
                    "{address} removes {keys} by itself when {max_memory} bytes are taken \
                     (maxmemory-policy {policy}), and with them data that nobody gave up: set \
                     maxmemory-policy to noeviction"
                )
            }
            Self::Refused { address, command, code } => write!(
                formatter,
                "{address} refused {command} with {code}: allow it to the user, or see to what it \
                 would tell by yourself"
            ),
            Self::Unusable { address, reason } => write!(formatter, "{address}: {reason}"),
            Self::Lost { connections } => write!(
                formatter,
                "{connections} connections ended while the servers were asked: see their logs, and \
                 what is between"
            ),
        }
    }
}
