//! A lane of a cluster: up to one connection to each node.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as Gate;
use tokio::time::Instant;

use super::node_link::NodeLink;
use super::server::Server;
use super::view::Cluster;
use crate::ConnectError;
use crate::connect::Backoff;
use crate::pool::{LONG_IDLE, Shared};

/// Connections to nodes, each made when it is first needed.
#[derive(Default)]
pub(crate) struct ClusterLane {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    nodes: Vec<Node>,
    closed: bool,
}

struct Node {
    server: Arc<Server>,
    link: Option<Arc<NodeLink>>,
    /// Held by who connects to it.
    attempts: Arc<Gate<Attempts>>,
}

/// What came of the last attempts to connect to a node.
#[derive(Default)]
struct Attempts {
    backoff: Backoff,
    /// The last failure, and when to try again.
    failed: Option<(Arc<ConnectError>, Instant)>,
}

/// Why there is no connection to a node.
#[derive(Debug)]
pub(crate) enum NoLink {
    Closed,
    /// The pool has fewer sockets than the cluster has nodes.
    TooSmall,
    Failed(Arc<ConnectError>),
}

impl ClusterLane {
    /// The connection to a node if there is one that was used lately.
    pub(crate) fn ready(&self, server: &Arc<Server>, shared: &Shared) -> Option<Arc<NodeLink>> {
        self.open(server).filter(|link| !link.is_idle_for(LONG_IDLE, shared))
    }

    fn open(&self, server: &Arc<Server>) -> Option<Arc<NodeLink>> {
        let state = self.lock();
        let node = state.nodes.iter().find(|node| Arc::ptr_eq(&node.server, server))?;
        node.link.as_ref().filter(|link| link.is_usable()).cloned()
    }

    /// The connection to a node, made anew if need be: by one caller at a time, and the others have
    /// its failure too. A future that is dropped leaves nothing behind.
    pub(crate) async fn connect(
        &self,
        shared: &Arc<Shared>,
        cluster: &Arc<Cluster>,
        server: &Arc<Server>,
    ) -> Result<Arc<NodeLink>, NoLink> {
        let attempts = self.attempts(server).ok_or(NoLink::Closed)?;
        let mut attempts = match server.trouble() {
            None => attempts.lock().await,
            // Somebody tries already, and nobody's place is to be held up by that too.
            Some(error) => attempts.try_lock().map_err(|_| NoLink::Failed(error))?,
        };
        if let Some(link) = self.open(server)
            && link.is_proven(shared).await
        {
            return Ok(link);
        }
        if let Some((error, again)) = &attempts.failed
            && Instant::now() < *again
        {
            return Err(NoLink::Failed(Arc::clone(error)));
        }
        if shared.size() < cluster.nodes() {
            return Err(NoLink::TooSmall);
        }
        match cluster.connect(shared, server).await.map_err(|_| NoLink::Closed)? {
            Ok(link) => {
                *attempts = Attempts::default();
                server.set_trouble(None);
                let open = cluster.open.mark();
                let link = Arc::new(NodeLink::new(link, Arc::clone(server), shared, open));
                if self.put(server, &link) { Ok(link) } else { Err(NoLink::Closed) }
            }
            Err(error) => {
                server.set_trouble(Some(Arc::clone(&error)));
                attempts.backoff.failed();
                let again = Instant::now() + attempts.backoff.next_wait();
                attempts.failed = Some((Arc::clone(&error), again));
                Err(NoLink::Failed(error))
            }
        }
    }

    /// Lets nothing new be sent to a node over the connection of now.
    pub(crate) fn retire(&self, server: &Arc<Server>) {
        self.drop_links(usize::MAX, |link| Arc::ptr_eq(&link.server, server));
    }

    /// Lets go of up to so many of the connections that are chosen, and returns how many. They are
    /// closed when their commands are done.
    pub(crate) fn drop_links(&self, most: usize, chosen: impl Fn(&Arc<NodeLink>) -> bool) -> usize {
        let mut dropped = Vec::new();
        for node in &mut self.lock().nodes {
            if dropped.len() < most && node.link.as_ref().is_some_and(&chosen) {
                dropped.extend(node.link.take());
            }
        }
        for link in &dropped {
            link.retire();
        }
        dropped.len()
    }

    /// Forgets all nodes but these, and lets go of the connections to them.
    pub(crate) fn keep_only(&self, servers: &[Arc<Server>]) {
        let is_kept = |server: &Arc<Server>| servers.iter().any(|kept| Arc::ptr_eq(kept, server));
        self.drop_links(usize::MAX, |link| !is_kept(&link.server));
        let is_tried = |node: &Node| Arc::strong_count(&node.attempts) > 1;
        self.lock().nodes.retain(|node| is_kept(&node.server) || is_tried(node));
    }

    /// The connections that can be used.
    pub(crate) fn links(&self) -> Vec<Arc<NodeLink>> {
        let state = self.lock();
        let links = state.nodes.iter().filter_map(|node| node.link.as_ref());
        links.filter(|link| link.is_usable()).cloned().collect()
    }

    fn attempts(&self, server: &Arc<Server>) -> Option<Arc<Gate<Attempts>>> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        if let Some(node) = state.nodes.iter().find(|node| Arc::ptr_eq(&node.server, server)) {
            return Some(Arc::clone(&node.attempts));
        }
        let attempts = Arc::default();
        state.nodes.push(Node {
            server: Arc::clone(server),
            link: None,
            attempts: Arc::clone(&attempts),
        });
        Some(attempts)
    }

    /// Puts a connection in its place; false if the lane is closed.
    fn put(&self, server: &Arc<Server>, link: &Arc<NodeLink>) -> bool {
        let mut state = self.lock();
        // Who connects keeps the node from being forgotten.
        let node = state.nodes.iter_mut().find(|node| Arc::ptr_eq(&node.server, server));
        let Some(node) = node else { return false };
        let previous = node.link.replace(Arc::clone(link));
        drop(state);
        drop(previous);
        true
    }

    /// Closes all connections, whatever is in flight on them.
    fn cut(&self) {
        let nodes = {
            let mut state = self.lock();
            state.closed = true;
            std::mem::take(&mut state.nodes)
        };
        for link in nodes.into_iter().filter_map(|node| node.link) {
            link.retire();
            link.link.cut();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ClusterLane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ClusterLane").field("links", &self.links()).finish()
    }
}

/// The lane itself. Dropping it closes all of its connections, whoever else has a handle to it.
#[derive(Debug)]
pub(crate) struct ClusterLink(Arc<ClusterLane>);

impl ClusterLink {
    pub(crate) fn new(lane: Arc<ClusterLane>) -> Self {
        Self(lane)
    }
}

impl Deref for ClusterLink {
    type Target = Arc<ClusterLane>;

    fn deref(&self) -> &Arc<ClusterLane> {
        &self.0
    }
}

impl Drop for ClusterLink {
    fn drop(&mut self) {
        self.0.cut();
    }
}
