//! What happens in a pool, counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::Times;
use super::published::Published;
use super::snapshot::PoolSnapshot;
use crate::ConnectReason;
use crate::connection::commands::Operation;

/// Why the pool closed a connection that worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaped {
    /// More were idle than may be.
    MaxIdle,
    /// It was idle for too long.
    IdleTimeout,
    /// It was too old.
    MaxLifetime,
    /// Its last user left something behind on it.
    Dirty,
    /// It was made before a failure, has ended, or gave no answer in time.
    Stale,
    /// Another connection took its place.
    MadeRoom,
    /// The size was lowered.
    Resized,
}

impl Reaped {
    pub(crate) const ALL: [Self; 7] = [
        Self::MaxIdle,
        Self::IdleTimeout,
        Self::MaxLifetime,
        Self::Dirty,
        Self::Stale,
        Self::MadeRoom,
        Self::Resized,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::MaxIdle => "max_idle",
            Self::IdleTimeout => "idle_timeout",
            Self::MaxLifetime => "max_lifetime",
            Self::Dirty => "dirty",
            Self::Stale => "stale",
            Self::MadeRoom => "made_room",
            Self::Resized => "resized",
        }
    }
}

/// Counts that can be asked for, beside those that are published.
pub(crate) struct Meters {
    published: Published,
    exhausted: AtomicU64,
    connected: AtomicU64,
    connect_failed: [AtomicU64; ConnectReason::ALL.len()],
    reaped: [AtomicU64; Reaped::ALL.len()],
    generations: AtomicU64,
    timed_out: AtomicU64,
    answers: AtomicU64,
    wait: Times,
    queued: Times,
    exclusive_operations: Times,
}

impl Meters {
    /// Those of a pool of this name.
    pub(crate) fn new(pool: &str) -> Self {
        Self {
            published: Published::new(pool),
            exhausted: AtomicU64::new(0),
            connected: AtomicU64::new(0),
            connect_failed: Default::default(),
            reaped: Default::default(),
            generations: AtomicU64::new(0),
            timed_out: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            wait: Times::new(),
            queued: Times::new(),
            exclusive_operations: Times::new(),
        }
    }

    pub(crate) fn waited(&self, time: Duration) {
        self.wait.record(time);
        self.published.wait_seconds.record(time);
    }

    /// Publishes one that found a place or a connection at once. The pool counts it.
    pub(crate) fn did_not_wait(&self) {
        self.published.wait_seconds.record(Duration::ZERO);
    }

    /// Notes the part of a wait that was for what others used.
    pub(crate) fn queued(&self, time: Duration) {
        self.queued.record(time);
    }

    pub(crate) fn exhausted(&self) {
        self.exhausted.fetch_add(1, Ordering::Relaxed);
        self.published.exhausted.increment(1);
    }

    pub(crate) fn connected(&self) {
        self.connected.fetch_add(1, Ordering::Relaxed);
        self.published.connected.increment(1);
    }

    pub(crate) fn connect_failed(&self, reason: ConnectReason) {
        let index = ConnectReason::ALL.iter().position(|known| *known == reason).unwrap_or(0);
        self.connect_failed[index].fetch_add(1, Ordering::Relaxed);
        self.published.connect_failed[index].increment(1);
    }

    pub(crate) fn reaped(&self, reason: Reaped, connections: usize) {
        let index = Reaped::ALL.iter().position(|known| *known == reason).unwrap_or(0);
        self.reaped[index].fetch_add(connections as u64, Ordering::Relaxed);
        self.published.reaped[index].increment(connections as u64);
    }

    pub(crate) fn generation_ended(&self) {
        self.generations.fetch_add(1, Ordering::Release);
        self.published.generations.increment(1);
    }

    /// How many generations have ended.
    pub(crate) fn generations(&self) -> u64 {
        self.generations.load(Ordering::Acquire)
    }

    /// Publishes how long an exclusive connection was held. The pool counts it.
    pub(crate) fn held(&self, time: Duration) {
        self.published.held_seconds.record(time);
    }

    /// Notes an answer on an exclusive connection.
    pub(crate) fn answered(&self, operation: Operation, time: Duration) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.exclusive_operations.record(time);
        self.answered_on_lane(operation, time);
    }

    /// Publishes an answer on a lane. The board counts it.
    pub(crate) fn answered_on_lane(&self, operation: Operation, time: Duration) {
        self.published.operation_seconds[operation.index].record(time);
    }

    pub(crate) fn timed_out(&self, operation: Operation) {
        self.timed_out.fetch_add(1, Ordering::Relaxed);
        self.published.timed_out[operation.index].increment(1);
    }

    /// How many answers have come on exclusive connections.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Publishes what is now.
    pub(crate) fn publish(&self, snapshot: &PoolSnapshot) {
        self.published.set_levels(snapshot);
    }

    /// The figures, with what the pool counts left to it.
    pub(crate) fn snapshot(&self) -> PoolSnapshot {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let some = |words: Vec<&'static str>, counts: &[AtomicU64]| {
            words.into_iter().zip(counts.iter().map(load)).filter(|(_, count)| *count > 0).collect()
        };
        PoolSnapshot {
            exhausted: load(&self.exhausted),
            connected: load(&self.connected),
            connect_failures: some(
                ConnectReason::ALL.iter().map(|reason| reason.word()).collect(),
                &self.connect_failed,
            ),
            reaped: some(Reaped::ALL.iter().map(|reason| reason.word()).collect(), &self.reaped),
            generations: load(&self.generations),
            timed_out: load(&self.timed_out),
            wait: self.wait.summary(),
            queued: self.queued.summary(),
            exclusive_operations: self.exclusive_operations.summary(),
            ..PoolSnapshot::default()
        }
    }
}
