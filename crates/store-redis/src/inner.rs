//! What all operations share.

use std::time::Duration;

use memory_core::Limits;

use crate::client::Client;
use crate::counters::Counters;
use crate::digests::Digests;
use crate::keys::Prefix;
use crate::known::Known;
use crate::server_time::ServerTime;

/// The longest time to live in milliseconds, some 36,000 years, so that moments stay whole numbers
/// in scripts too.
const LONGEST_TTL: u64 = 1 << 50;

/// An open store.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) prefix: Prefix,
    pub(crate) digests: Digests,
    pub(crate) counters: Counters,
    pub(crate) known: Known,
    pub(crate) time: ServerTime,
    pub(crate) limits: Limits,
    pub(crate) time_to_live: Option<Duration>,
    /// Whether reads put the end off too.
    pub(crate) refreshes_on_read: bool,
    /// How many replicas must have an append.
    pub(crate) wait_replicas: u32,
}

impl Inner {
    /// The time to live in milliseconds.
    pub(crate) fn ttl(&self) -> Option<u64> {
        self.time_to_live
            .map(|ttl| u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).clamp(1, LONGEST_TTL))
    }

    /// When a conversation ends that is written to now.
    pub(crate) fn ends(&self) -> Option<u64> {
        self.ttl().map(|ttl| self.time.now().saturating_add(ttl))
    }
}
