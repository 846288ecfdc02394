//! What all handles of a pool share.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use deadpool::managed::{self, QueueMode};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::cap::Cap;
use super::counts::{Count, Level};
use super::generation::{Generation, Generations};
use super::holders::{Holders, Leak};
use super::manager::Manager;
use super::reaper::Past;
use super::status::PoolStatus;
use crate::cluster::Cluster;
use crate::connect::Governor;
use crate::connection::{Dialer, Link, Login};
use crate::lanes::Board;
use crate::metrics::{Meters, Reaped};
use crate::{ConnectError, PoolSettings, PoolSnapshot};

/// The state of a pool.
///
/// Two caps of the same size bound it. A *turn* is the right to use a connection: one is held for
/// each exclusive connection handed out and for each lane, and callers queue for it. A *socket* is
/// a permit that is tied to an open socket until the server has seen it close. Idle exclusive
/// connections hold a socket without a turn, so a turn always finds a socket soon: one to make,
/// one that is idle, or one that is just closing.
pub(crate) struct Shared {
    pub(crate) bounds: PoolSettings,
    pub(crate) size: AtomicUsize,
    pub(crate) servers: Servers,
    pub(crate) address: String,
    pub(crate) login: Login,
    pub(crate) turns: Cap,
    pub(crate) sockets: Cap,
    pub(crate) governor: Governor,
    pub(crate) generations: Generations,
    pub(crate) exclusives: managed::Pool<Manager>,
    pub(crate) board: Board,
    pub(crate) idle: Count,
    pub(crate) waiting: Count,
    /// Those who have exclusive connections.
    pub(crate) out: Holders,
    /// Exclusive connections and lanes that serve somebody.
    pub(crate) active: Arc<Level>,
    pub(crate) returned: Notify,
    pub(crate) drained: Notify,
    pub(crate) meters: Meters,
    pub(crate) born: Instant,
    pub(crate) past: Past,
    last_failure: Mutex<Option<Arc<ConnectError>>>,
    closed: AtomicBool,
    keys: RandomState,
    myself: Weak<Self>,
}

impl Shared {
    pub(crate) fn new(
        name: &str,
        bounds: PoolSettings,
        servers: Servers,
        login: Login,
    ) -> Arc<Self> {
        let active = Arc::new(Level::default());
        Arc::new_cyclic(|myself| Self {
            size: AtomicUsize::new(bounds.size),
            address: servers.address(),
            servers,
            login,
            turns: Cap::new(bounds.size),
            sockets: Cap::new(bounds.size),
            governor: Governor::new(bounds.connect_rate),
            generations: Generations::default(),
            exclusives: exclusives(bounds.size, myself.clone()),
            board: Board::new(bounds.lane_depth, Arc::clone(&active)),
            idle: Count::default(),
            waiting: Count::default(),
            out: Holders::new(),
            active,
            returned: Notify::new(),
            drained: Notify::new(),
            meters: Meters::new(name),
            born: Instant::now(),
            past: Past::default(),
            last_failure: Mutex::default(),
            closed: AtomicBool::new(false),
            keys: RandomState::new(),
            myself: myself.clone(),
            bounds,
        })
    }

    pub(crate) fn size(&self) -> usize {
        self.size.load(Ordering::Acquire)
    }

    /// The address of the server that the last connection leads to, where that is one by itself.
    pub(crate) fn reached(&self) -> Option<String> {
        match &self.servers {
            Servers::One(dialer) => dialer.reached(),
            Servers::Cluster(_) => None,
        }
    }

    /// The cluster that it leads to, where it is one.
    pub(crate) fn cluster(&self) -> Option<&Arc<Cluster>> {
        match &self.servers {
            Servers::One(_) => None,
            Servers::Cluster(cluster) => Some(cluster),
        }
    }

    /// How many lanes there may be.
    pub(crate) fn most_lanes(&self) -> usize {
        self.cluster().map_or(self.size(), |cluster| cluster.most_lanes(self.size()))
    }

    /// How many sockets a lane may need.
    pub(crate) fn sockets_per_lane(&self) -> usize {
        self.cluster().map_or(1, |cluster| cluster.nodes().max(1))
    }

    /// In one order with the level of what is active: either the last one sees that it has to tell
    /// who closes the pool, or that one sees that there is none.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Marks the pool as closed; false if it was already.
    pub(crate) fn set_closed(&self) -> bool {
        !self.closed.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn weak(&self) -> Weak<Self> {
        self.myself.clone()
    }

    /// What stands for a key. Two keys with the same number share a lane, which does no harm.
    pub(crate) fn key_number(&self, key: &[u8]) -> u64 {
        self.keys.hash_one(key)
    }

    /// Whether a connection may serve a new operation.
    pub(crate) fn is_usable(&self, link: &Link) -> bool {
        link.is_alive() && link.generation == self.generations.current() && !self.is_closed()
    }

    /// Notes that a connection failed: no operation that starts from now on is given one that was
    /// made before.
    pub(crate) fn observe_failure(&self, generation: Generation) {
        if self.generations.end(generation) {
            tracing::debug!(address = self.address, "a connection failed, all are made anew");
            self.meters.generation_ended();
            self.retire_old_connections();
        }
    }

    /// How many answers have come in all.
    pub(crate) fn answers(&self) -> u64 {
        self.meters.answers() + self.board.answers()
    }

    /// Notes that a connection gave no answer in time. Where no other gave one meanwhile either,
    /// the server or the network is gone, and what is in flight elsewhere is not waited for.
    pub(crate) fn observe_silence(&self, generation: Generation, answers_before: u64) {
        if self.answers() == answers_before {
            self.observe_failure(generation);
            self.board.cut_older(self.generations.current());
        }
    }

    /// Closes idle connections of older generations, and lanes as soon as they are answered.
    fn retire_old_connections(&self) {
        let current = self.generations.current();
        let lanes = self.board.retire_older(current);
        let idle = self.exclusives.retain(|link, _| link.generation == current).removed.len();
        self.meters.reaped(Reaped::Stale, lanes + idle);
        if let Some(pool) = self.myself.upgrade() {
            pool.reopen_lanes();
        }
    }

    pub(crate) fn last_failure(&self) -> Option<Arc<ConnectError>> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_last_failure(&self, failure: Option<Arc<ConnectError>>) {
        *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Sockets that are open and serve nobody.
    pub(crate) fn idle_sockets(&self) -> usize {
        match self.cluster() {
            None => self.idle.get() + self.board.idle_lanes(),
            Some(cluster) => cluster.idle(),
        }
    }

    /// Whether some of those who have a turn are still connecting, and so hold up the others.
    pub(crate) fn is_connecting(&self) -> bool {
        self.out.get() + self.board.lanes() < self.size()
    }

    /// Whether as many connections are in use or kept for lanes as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.out.get() + self.board.lanes() >= self.most_lanes()
    }

    pub(crate) fn leaks(&self) -> Vec<Leak> {
        self.out.leaks(self.bounds.hold_limit)
    }

    pub(crate) fn snapshot(&self) -> PoolSnapshot {
        let leaked = self.leaks().len();
        let meters = self.meters.snapshot();
        let wait = meters.wait.with_none(self.board.immediate() + self.out.at_once());
        let at_once = wait.count.saturating_sub(meters.queued.count);
        PoolSnapshot {
            status: self.status(),
            leaked,
            wait,
            queued: meters.queued.with_none(at_once),
            held: self.out.times.summary(),
            lane_operations: self.board.operations.summary(),
            ..meters
        }
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let lanes = self.board.lanes();
        PoolStatus {
            size: self.size(),
            active: self.cluster().map_or_else(|| self.active.get(), |cluster| cluster.busy()),
            idle: self.idle_sockets(),
            waiting: self.waiting.get(),
            lanes,
            in_flight: self.board.in_flight(),
        }
    }
}

/// Where a pool leads.
pub(crate) enum Servers {
    /// To one server at a time.
    One(Box<dyn Dialer>),
    /// To the nodes of a cluster.
    Cluster(Arc<Cluster>),
}

impl Servers {
    fn address(&self) -> String {
        match self {
            Self::One(dialer) => dialer.address(),
            Self::Cluster(cluster) => cluster.address(),
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Shared")
            .field("address", &self.address)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// The pool of exclusive connections. The newest idle one is used first, so that those that are
/// not needed grow old and are closed.
fn exclusives(size: usize, shared: Weak<Shared>) -> managed::Pool<Manager> {
    managed::Pool::builder(Manager::new(shared))
        .max_size(size)
        .queue_mode(QueueMode::Lifo)
        .build()
        .expect("a pool without time-outs of its own needs no runtime")
}
