//! What a lane sends its commands over.

use std::sync::Arc;

use tokio::time::Instant;

use crate::cluster::{ClusterLane, ClusterLink};
use crate::connection::{Link, LinkHandle};
use crate::pool::{Count, Generation};

/// What a lane keeps open. Dropping it closes it.
pub(crate) enum LaneLink {
    /// A connection to a server.
    One(Link),
    /// A connection to each node of a cluster.
    Cluster(ClusterLink),
}

/// What a command is sent with.
#[derive(Clone)]
pub(crate) enum LaneHandle {
    One(LinkHandle),
    Cluster(Arc<ClusterLane>),
}

impl LaneLink {
    pub(super) fn handle(&self) -> LaneHandle {
        match self {
            Self::One(link) => LaneHandle::One(link.handle()),
            Self::Cluster(lane) => LaneHandle::Cluster(Arc::clone(lane)),
        }
    }

    /// Where a lane counts its commands in flight for the socket. Of a cluster each connection
    /// counts its own.
    pub(super) fn shown_in_flight(&self) -> Count {
        match self {
            Self::One(link) => link.in_flight(),
            Self::Cluster(_) => Count::default(),
        }
    }

    /// Of a cluster each connection has its own end, and none takes the lane along.
    pub(super) fn generation(&self, current: Generation) -> Generation {
        match self {
            Self::One(link) => link.generation,
            Self::Cluster(_) => current,
        }
    }

    /// When it was made; nothing where its connections come and go one by one.
    pub(super) fn born(&self) -> Option<Instant> {
        match self {
            Self::One(link) => Some(link.born),
            Self::Cluster(_) => None,
        }
    }
}

impl LaneHandle {
    /// Whether it has no connection at all.
    pub(super) fn is_bare(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::Cluster(lane) => lane.is_bare(),
        }
    }

    /// Waits until everything is answered that was sent before; false if the connection failed.
    /// Commands in a cluster wait for that themselves.
    pub(super) async fn fence(self) -> bool {
        match self {
            Self::One(handle) => handle.fence().await,
            Self::Cluster(_) => true,
        }
    }
}
