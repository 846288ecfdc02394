//! Attempts to connect to a node.
//!
//! Each is a task of its own, so that it neither ends with a caller who waits for it only shortly,
//! nor stands still with one who is not polled. Callers hear of its end.

use std::sync::Arc;

use tokio::select;
use tokio::sync::watch::{Receiver, Sender};

use super::lane::ClusterLane;
use super::node_link::NodeLink;
use super::server::Server;
use super::view::Cluster;
use crate::ConnectError;
use crate::pool::Shared;

/// Why there is no connection to a node.
#[derive(Debug, Clone)]
pub(crate) enum NoLink {
    /// The pool, or the lane, was closed.
    Closed,
    /// The pool has fewer sockets than the cluster has nodes.
    TooSmall,
    Failed(Arc<ConnectError>),
}

/// How far an attempt has come.
#[derive(Debug, Clone)]
pub(crate) enum Attempt {
    WaitsForSocket,
    Connects,
    Done(Result<(), NoLink>),
}

impl Attempt {
    /// Waits for the end of an attempt.
    pub(crate) async fn end(attempt: &mut Receiver<Self>) -> Result<(), NoLink> {
        match attempt.wait_for(|attempt| matches!(attempt, Self::Done(_))).await.as_deref() {
            Ok(Self::Done(outcome)) => outcome.clone(),
            // It ended with the runtime.
            _ => Err(NoLink::Closed),
        }
    }
}

/// Who connects a lane to a node.
pub(super) struct Connector {
    pub(super) lane: Arc<ClusterLane>,
    pub(super) shared: Arc<Shared>,
    pub(super) cluster: Arc<Cluster>,
    pub(super) server: Arc<Server>,
    pub(super) tell: Arc<Sender<Attempt>>,
}

impl Connector {
    pub(super) async fn run(self) {
        let outcome = self.connect().await;
        self.lane.attempted(&self.server, &outcome);
        self.tell.send_replace(Attempt::Done(outcome));
    }

    async fn connect(&self) -> Result<(), NoLink> {
        let Self { lane, shared, cluster, server, tell } = self;
        if let Some(link) = lane.open(server)
            && link.is_proven(shared).await
        {
            return Ok(());
        }
        let _connecting = cluster.connecting.mark();
        let permit = select! {
            biased;
            permit = cluster.permit(shared) => permit.map_err(|_| NoLink::Closed)?,
            // What nobody waits for need not take a socket from others.
            () = tell.closed() => return Err(NoLink::Closed),
        };
        tell.send_replace(Attempt::Connects);
        shared.governor.turn().await;
        let generation = server.generation();
        match cluster.connect(shared, server, permit).await {
            Ok(link) => {
                server.set_trouble(None);
                let open = cluster.open.mark();
                let server = Arc::clone(server);
                let link = Arc::new(NodeLink::new(link, server, generation, shared, open));
                cluster.note(&link);
                if lane.put(&link) { Ok(()) } else { Err(NoLink::Closed) }
            }
            Err(error) => {
                server.set_trouble(Some(Arc::clone(&error)));
                Err(NoLink::Failed(error))
            }
        }
    }
}
