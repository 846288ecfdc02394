//! The pool as callers see it.

use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::advice::Advice;
use super::builder::RedisPoolBuilder;
use super::exclusive::Exclusive;
use super::holders::Leak;
use super::servers;
use super::shared::Shared;
use super::status::PoolStatus;
use crate::settings::MOST_CONNECTIONS;
use crate::{Lane, PoolError, PoolSnapshot, RedisSettings};

/// Connections to Redis: lanes that many commands share, and exclusive ones, under one cap.
///
/// Clones are handles to the same pool. It ends with the last handle, lane and exclusive
/// connection.
#[derive(Debug, Clone)]
pub struct RedisPool {
    shared: Arc<Shared>,
}

impl RedisPool {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// A builder of a pool with these settings.
    pub fn builder(settings: RedisSettings) -> RedisPoolBuilder {
        RedisPoolBuilder::new(settings)
    }

    /// Takes a connection that nobody else uses until it is dropped.
    ///
    /// Callers are served in the order of coming. An idle connection is used if there is one, else
    /// a new one is made as soon as fewer than `redis.pool.size` are in use. A server that refuses
    /// connections is tried again until the deadline; a wrong password or certificate is an error
    /// at once.
    ///
    /// A cluster has none: there its lanes do all.
    ///
    /// # Errors
    ///
    /// [`PoolError::NoExclusive`] in a cluster;
    /// [`PoolError::WaitTimedOut`] if there was none within `redis.pool.timeout`, whatever it was
    /// waited for; [`PoolError::Connect`] if trying again cannot help; [`PoolError::Closed`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the place in the queue and loses no connection.
    #[track_caller]
    pub fn get(&self) -> impl Future<Output = Result<Exclusive, PoolError>> + Send + use<'_> {
        let place = if cfg!(debug_assertions) { Some(Location::caller()) } else { None };
        self.shared.take(place)
    }

    /// A handle that sends the commands of one key in their order.
    pub fn lane(&self, key: impl AsRef<[u8]>) -> Lane {
        let number = self.shared.key_number(key.as_ref());
        Lane::new(Arc::clone(&self.shared), Some(number))
    }

    /// A handle for commands that need no order among each other.
    pub fn any_lane(&self) -> Lane {
        Lane::new(Arc::clone(&self.shared), None)
    }

    /// A handle to each server that holds a part of the data: to each node of a cluster that owns
    /// slots, and to the one server otherwise.
    ///
    /// It is for commands that concern servers rather than keys: SCAN, INFO, SCRIPT FLUSH. In a
    /// cluster each handle keeps to its node, and what that answers is the answer, redirections
    /// included. Ask for them anew after nodes came or went.
    ///
    /// # Errors
    ///
    /// In a cluster [`PoolError::WaitTimedOut`] if no node said who owns the slots within
    /// `redis.pool.timeout`, [`PoolError::Connect`] if trying again cannot help,
    /// [`PoolError::ClusterSize`] if the pool has fewer sockets than the cluster has nodes, and
    /// [`PoolError::Closed`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only asks.
    pub async fn servers(&self) -> Result<Vec<Lane>, PoolError> {
        servers::of(&self.shared).await
    }

    /// The longest wait for a connection.
    pub(crate) fn timeout(&self) -> Duration {
        self.shared.bounds.timeout
    }

    /// The longest wait for an answer.
    pub fn response_timeout(&self) -> Duration {
        self.shared.bounds.response_timeout
    }

    /// How many commands lanes have places for.
    pub(crate) fn places(&self) -> usize {
        let sockets = self.shared.most_lanes() * self.shared.sockets_per_lane();
        sockets.saturating_mul(self.shared.bounds.lane_depth)
    }

    /// Makes sure that each server can be reached.
    pub(super) async fn reach_all(&self) -> Result<(), PoolError> {
        if self.shared.cluster().is_none() {
            return self.get().await.map(drop);
        }
        // All at a time, so that many slow ones take no longer than one.
        let mut greetings = JoinSet::new();
        for lane in self.servers().await? {
            greetings.spawn(async move { lane.greet().await });
        }
        greetings.join_all().await.into_iter().collect()
    }

    /// The sockets and callers of now.
    pub fn status(&self) -> PoolStatus {
        self.shared.status()
    }

    /// The address that the pool connects to, without user and password.
    pub fn address(&self) -> &str {
        &self.shared.address
    }

    /// The figures of this pool since it was made.
    pub fn snapshot(&self) -> PoolSnapshot {
        self.shared.snapshot()
    }

    /// How many failures have had connections made anew so far: all of them, and in a cluster those
    /// to one node.
    ///
    /// As long as it stays the same, no server has ended while a connection to it was open. What
    /// ends while the pool has none open is not seen. Asking costs next to nothing.
    pub fn generation(&self) -> u64 {
        self.shared.meters.generations()
    }

    /// The exclusive connections that have been held for longer than `redis.pool.hold_limit`, the
    /// longest first.
    pub fn leaks(&self) -> Vec<Leak> {
        self.shared.leaks()
    }

    /// What the figures of the last minutes suggest to change; nothing if all is well.
    pub fn advice(&self) -> Vec<Advice> {
        self.shared.advice()
    }

    /// Changes the most sockets that may be open. Those above it are closed as they come back.
    ///
    /// A size of 0 is taken as 1, one above 65,535 as that, and in a cluster one below the number of
    /// nodes that own slots as that number. `redis.pool.max_idle` stays as it is.
    pub fn resize(&self, size: usize) {
        self.shared.resize(size.clamp(1, usize::from(MOST_CONNECTIONS)));
    }

    /// Closes the pool: refuses new callers and those who wait, and waits for up to
    /// `redis.pool.timeout` until what is in use has come back.
    ///
    /// # Errors
    ///
    /// [`PoolError::NotDrained`] if something was in use at the deadline. Lanes are closed then all
    /// the same, and exclusive connections when they come back.
    ///
    /// # Cancel safety
    ///
    /// The pool is closed from the first poll on. Dropping the future only ends the wait.
    pub async fn close(&self) -> Result<(), PoolError> {
        self.shared.close().await
    }
}
