//! What a pool knows of its cluster.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use tokio_rustls::TlsConnector;

use super::key_turns::KeyTurns;
use super::lane::{ClusterLane, ClusterLink};
use super::node_link::NodeLink;
use super::server::Server;
use super::slots::Slots;
use super::survey::Surveys;
use crate::connect::NodeDialer;
use crate::connection::Link;
use crate::pool::{Count, Generation, Permit, Shared};
use crate::{ConnectError, ConnectReason, Node};

/// The nodes of a cluster, their slots, and the lanes that lead there.
#[derive(Default)]
pub(crate) struct Cluster {
    pub(super) seeds: Vec<Arc<Server>>,
    tls: Option<TlsConnector>,
    pub(super) slots: RwLock<Slots>,
    /// One value for each address that was heard of and is still spoken of.
    servers: Mutex<HashMap<Node, Weak<Server>>>,
    /// How many such values there have been.
    numbers: AtomicU64,
    lanes: Mutex<Vec<Weak<ClusterLane>>>,
    pub(super) nodes: AtomicUsize,
    pub(super) surveys: Mutex<Surveys>,
    pub(crate) keys: KeyTurns,
    /// Connections of lanes that are open.
    pub(crate) open: Count,
    links: Mutex<Vec<Weak<NodeLink>>>,
    /// Attempts to connect that are under way.
    pub(super) connecting: Count,
    /// Connections that are only made to ask for slots.
    pub(super) asking: Count,
}

impl Cluster {
    pub(crate) fn new(seeds: Vec<Node>, tls: Option<TlsConnector>) -> Self {
        let mut cluster = Self { tls, ..Self::default() };
        cluster.seeds = seeds.into_iter().map(|seed| cluster.server(seed)).collect();
        cluster
    }

    /// The address that errors name.
    pub(crate) fn address(&self) -> String {
        let mut address = "cluster of".to_owned();
        for (place, seed) in self.seeds.iter().enumerate() {
            // Writing to a text does not fail.
            let _ = write!(address, "{} {}", if place > 0 { "," } else { "" }, seed.node());
        }
        address
    }

    /// How many nodes own slots; none before they were asked.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.load(Ordering::Acquire)
    }

    /// How many lanes there may be with so many sockets. One that is too many is refused where it
    /// connects, with an error that says more.
    pub(crate) fn most_lanes(&self, size: usize) -> usize {
        (size / self.nodes().max(1)).max(1)
    }

    /// The value for an address.
    pub(crate) fn server(&self, node: Node) -> Arc<Server> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = servers.get(&node).and_then(Weak::upgrade) {
            return server;
        }
        servers.retain(|_, server| server.strong_count() > 0);
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let server = Arc::new(Server::new(node.clone(), number));
        servers.insert(node, Arc::downgrade(&server));
        server
    }

    /// The owner of a slot, as far as it is known.
    pub(crate) fn owner(&self, slot: u16) -> Option<Arc<Server>> {
        self.read().owner(slot).cloned()
    }

    /// The nodes that own slots.
    pub(crate) fn masters(&self) -> Vec<Arc<Server>> {
        self.read().masters().to_vec()
    }

    /// Any node that owns slots.
    pub(crate) fn any_master(&self) -> Option<Arc<Server>> {
        let slots = self.read();
        let masters = slots.masters();
        let place = fastrand::usize(..masters.len().max(1));
        masters.get(place).cloned()
    }

    /// Notes the new owner of a slot, which a node has named.
    pub(crate) fn assign(&self, slot: u16, master: &Arc<Server>) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).assign(slot, master);
    }

    /// A further lane, without connections yet.
    pub(crate) fn open_lane(&self) -> ClusterLink {
        let lane = Arc::new(ClusterLane::default());
        let mut lanes = self.lock_lanes();
        lanes.retain(|lane| lane.strong_count() > 0);
        lanes.push(Arc::downgrade(&lane));
        ClusterLink::new(lane)
    }

    pub(crate) fn lanes(&self) -> Vec<Arc<ClusterLane>> {
        self.lock_lanes().iter().filter_map(Weak::upgrade).collect()
    }

    /// Notes a connection of a lane.
    pub(super) fn note(&self, link: &Arc<NodeLink>) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.strong_count() > 0);
        links.push(Arc::downgrade(link));
    }

    /// All connections of lanes, those included that only wait for their last answers.
    pub(super) fn links(&self) -> Vec<Arc<NodeLink>> {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.iter().filter_map(Weak::upgrade).collect()
    }

    /// Closes all connections, whatever is in flight on them.
    pub(crate) fn cut_all(&self) {
        for link in self.links() {
            link.retire();
            link.link.cut();
        }
    }

    /// Notes that a connection to a node failed: nothing new is sent over one that was begun
    /// before. Many may die of the same cause, and that counts once.
    pub(crate) fn observe_failure(&self, shared: &Shared, server: &Server, failed: Generation) {
        if server.end(failed) {
            tracing::debug!(node = %server.node(), "a connection failed, all to it are made anew");
            shared.meters.generation_ended();
            let is_older =
                |link: &Arc<NodeLink>| link.server.node() == server.node() && !link.is_usable();
            for lane in self.lanes() {
                lane.drop_links(usize::MAX, is_older);
            }
        }
    }

    /// Notes that a node gave no answer in time over a connection. Where it gave no other one
    /// meanwhile either, none of its connections is used again.
    pub(crate) fn observe_silence(&self, shared: &Shared, link: &NodeLink, answers_before: u64) {
        link.retire();
        if link.server.answers() == answers_before {
            let address = link.server.node().to_string();
            let silent = ConnectError::new(address, ConnectReason::TimedOut);
            link.server.set_trouble(Some(Arc::new(silent)));
            self.observe_failure(shared, &link.server, link.generation());
        }
    }

    /// Tries once to connect to a node.
    pub(super) async fn connect(
        &self,
        shared: &Shared,
        server: &Arc<Server>,
        permit: Permit,
    ) -> Result<Link, Arc<ConnectError>> {
        let dialer =
            NodeDialer::new(server.node().clone(), self.tls.clone(), shared.bounds.connect_timeout);
        // Taken before the attempt: what it leads to may be what fails meanwhile.
        let generation = server.generation();
        let (pool, failed) = (shared.weak(), Arc::downgrade(server));
        let ended = move || {
            if let (Some(pool), Some(failed)) = (pool.upgrade(), failed.upgrade())
                && let Some(cluster) = pool.cluster()
            {
                cluster.observe_failure(&pool, &failed, generation);
            }
        };
        shared.connect_over(&dialer, permit, ended).await
    }

    pub(super) fn read(&self) -> std::sync::RwLockReadGuard<'_, Slots> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_lanes(&self) -> MutexGuard<'_, Vec<Weak<ClusterLane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
