//! A lane of a cluster: up to one connection to each node.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::watch::{Receiver, Sender};
use tokio::time::Instant;

use super::attempt::{Attempt, Connector, NoLink};
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
    /// The attempt to connect that is under way.
    attempt: Weak<Sender<Attempt>>,
    backoff: Backoff,
    /// What the last attempt failed with, and when to try again.
    failed: Option<(Arc<ConnectError>, Instant)>,
}

impl Node {
    fn is_tried(&self) -> bool {
        self.attempt.strong_count() > 0
    }
}

impl ClusterLane {
    /// The connection to a node if there is one that was used lately.
    pub(crate) fn ready(&self, server: &Arc<Server>, shared: &Shared) -> Option<Arc<NodeLink>> {
        self.open(server).filter(|link| !link.is_idle_for(LONG_IDLE, shared))
    }

    pub(super) fn open(&self, server: &Arc<Server>) -> Option<Arc<NodeLink>> {
        let state = self.lock();
        let node = state.nodes.iter().find(|node| Arc::ptr_eq(&node.server, server))?;
        node.link.as_ref().filter(|link| link.is_usable()).cloned()
    }

    /// Begins to connect to a node, or joins the attempt that is under way. The last failure is
    /// that of everybody for a while.
    pub(crate) fn connect(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        cluster: &Arc<Cluster>,
        server: &Arc<Server>,
    ) -> Result<Receiver<Attempt>, NoLink> {
        let Ok(runtime) = Handle::try_current() else { return Err(NoLink::Closed) };
        let mut state = self.lock();
        if state.closed {
            return Err(NoLink::Closed);
        }
        let node = node_of(&mut state.nodes, server);
        if let Some(attempt) = node.attempt.upgrade() {
            return Ok(attempt.subscribe());
        }
        if let Some((error, again)) = &node.failed
            && Instant::now() < *again
        {
            return Err(NoLink::Failed(Arc::clone(error)));
        }
        if shared.size() < cluster.nodes() {
            return Err(NoLink::TooSmall);
        }
        let tell = Arc::new(Sender::new(Attempt::WaitsForSocket));
        let hears = tell.subscribe();
        node.attempt = Arc::downgrade(&tell);
        drop(state);
        let connector = Connector {
            lane: Arc::clone(self),
            shared: Arc::clone(shared),
            cluster: Arc::clone(cluster),
            server: Arc::clone(server),
            tell,
        };
        runtime.spawn(connector.run());
        Ok(hears)
    }

    /// Notes what became of an attempt.
    pub(super) fn attempted(&self, server: &Arc<Server>, outcome: &Result<(), NoLink>) {
        let mut state = self.lock();
        let node = state.nodes.iter_mut().find(|node| Arc::ptr_eq(&node.server, server));
        let Some(node) = node else { return };
        // Who comes from now on begins the next one.
        node.attempt = Weak::new();
        match outcome {
            Ok(()) => {
                node.backoff = Backoff::default();
                node.failed = None;
            }
            Err(NoLink::Failed(error)) => {
                node.backoff.failed();
                let again = Instant::now() + node.backoff.next_wait();
                node.failed = Some((Arc::clone(error), again));
            }
            Err(_) => {}
        }
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
        self.lock().nodes.retain(|node| is_kept(&node.server) || node.is_tried());
    }

    /// Whether it has no connection, and none is being made.
    pub(crate) fn is_bare(&self) -> bool {
        self.lock().nodes.iter().all(|node| node.link.is_none() && !node.is_tried())
    }

    /// The connections that can be used.
    pub(crate) fn links(&self) -> Vec<Arc<NodeLink>> {
        let state = self.lock();
        let links = state.nodes.iter().filter_map(|node| node.link.as_ref());
        links.filter(|link| link.is_usable()).cloned().collect()
    }

    /// Puts a connection in its place; false if the lane is closed.
    pub(super) fn put(&self, link: &Arc<NodeLink>) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        let node = node_of(&mut state.nodes, &link.server);
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

fn node_of<'a>(nodes: &'a mut Vec<Node>, server: &Arc<Server>) -> &'a mut Node {
    let known = nodes.iter().position(|node| Arc::ptr_eq(&node.server, server));
    let place = known.unwrap_or(nodes.len());
    if known.is_none() {
        nodes.push(Node {
            server: Arc::clone(server),
            link: None,
            attempt: Weak::new(),
            backoff: Backoff::default(),
            failed: None,
        });
    }
    &mut nodes[place]
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
