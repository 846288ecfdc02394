//! The handle to lanes that callers hold.

use std::fmt;
use std::sync::Arc;

use crate::Node;
use crate::cluster::Server;
use crate::pool::Shared;

/// Sends commands over shared, pipelined connections that are made anew when they fail.
///
/// It is a key, if it has one, and a way to the pool: cheap to make, to clone and to keep. Commands
/// of one key are sent in the order in which they were first polled, on one connection as long as
/// one of them is in flight or waits for it, and so the server executes them in that order. Handles
/// with the same key share it.
///
/// What runs a command has to be polled until it is ready, or dropped. While it is kept without being
/// polled, as beside a `select!` whose other arm waits for something else, it keeps its place, and
/// those behind it wait: in a cluster the later commands of its key, and on one server those that
/// wait for a place on the same lane, if it was given one meanwhile. Each of them waits for no longer
/// than `redis.pool.timeout`, and is not sent then. Commands in a task of their own, or dropped with
/// their `select!`, hold up nobody.
///
/// It runs commands by the methods that the [`connection`](crate::connection) module gives it.
#[derive(Clone)]
pub struct Lane {
    shared: Arc<Shared>,
    key: Option<u64>,
    /// The node of a cluster that all commands go to, where the caller has chosen one.
    server: Option<Arc<Server>>,
}

impl Lane {
    pub(crate) fn new(shared: Arc<Shared>, key: Option<u64>) -> Self {
        Self { shared, key, server: None }
    }

    pub(crate) fn to_server(shared: Arc<Shared>, server: Arc<Server>) -> Self {
        Self { shared, key: None, server: Some(server) }
    }

    /// The server that all of its commands go to, where it is one of
    /// [`RedisPool::servers`](crate::RedisPool::servers) of a cluster.
    pub fn node(&self) -> Option<&Node> {
        self.server.as_deref().map(Server::node)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn server(&self) -> Option<&Arc<Server>> {
        self.server.as_ref()
    }

    pub(crate) fn key(&self) -> Option<u64> {
        self.key
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lane").field("keyed", &self.key.is_some()).finish_non_exhaustive()
    }
}
