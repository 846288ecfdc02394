//! Asking the nodes of a cluster who owns which slots.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch::{Receiver, Sender};
use tokio::time::{Instant, sleep, timeout};

use super::attempt::NoLink;
use super::node_link::NodeLink;
use super::server::Server;
use super::slots::{SlotRange, Slots};
use super::view::Cluster;
use crate::connect::Backoff;
use crate::connection::ask_for_slots;
use crate::pool::Shared;
use crate::{ConnectError, ConnectReason};

/// The longest time that one node is waited for that others can stand in for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The least time between two looks, so that many who wait for a node do not burden the others.
const SPACING: Duration = Duration::from_millis(20);

/// The looks that were taken, and the one that is under way.
#[derive(Default)]
pub(super) struct Surveys {
    last: Option<Instant>,
    backoff: Backoff,
    current: Weak<Sender<Outcome>>,
}

type Outcome = Option<Result<(), NoLink>>;

impl Cluster {
    /// Asks the nodes who owns which slots. Callers at the same time share one answer, or one
    /// failure.
    ///
    /// A future that is dropped leaves the rest to a task.
    pub(crate) async fn survey(self: &Arc<Self>, shared: &Shared) -> Result<(), NoLink> {
        let mut hears = self.look(shared).ok_or(NoLink::Closed)?;
        match hears.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            // It ended with the runtime, or with the pool.
            _ => Err(NoLink::Closed),
        }
    }

    /// The same in the background, for those who know already what they need.
    pub(crate) fn survey_soon(self: &Arc<Self>, shared: &Shared) {
        // Whoever needs it and does not find it asks again.
        drop(self.look(shared));
    }

    /// Begins to ask, or joins those who wait for the answer.
    fn look(self: &Arc<Self>, shared: &Shared) -> Option<Receiver<Outcome>> {
        let runtime = Handle::try_current().ok()?;
        let mut surveys = self.lock_surveys();
        if let Some(current) = surveys.current.upgrade() {
            return Some(current.subscribe());
        }
        let now = Instant::now();
        let spacing = SPACING.max(surveys.backoff.next_wait());
        let wait = surveys
            .last
            .map_or(Duration::ZERO, |last| (last + spacing).saturating_duration_since(now));
        let tell = Arc::new(Sender::new(None));
        let hears = tell.subscribe();
        surveys.current = Arc::downgrade(&tell);
        drop(surveys);
        let (cluster, pool) = (Arc::clone(self), shared.weak());
        runtime.spawn(async move {
            if !wait.is_zero() {
                sleep(wait).await;
            }
            cluster.lock_surveys().last = Some(Instant::now());
            let outcome = cluster.ask_and_learn(&pool).await;
            {
                let mut surveys = cluster.lock_surveys();
                surveys.current = Weak::new();
                match &outcome {
                    Ok(()) => surveys.backoff = Backoff::default(),
                    Err(_) => surveys.backoff.failed(),
                }
            }
            tell.send_replace(Some(outcome));
        });
        Some(hears)
    }

    async fn ask_and_learn(self: &Arc<Self>, pool: &Weak<Shared>) -> Result<(), NoLink> {
        let ranges = self.ask(pool).await?;
        self.learn(&*pool.upgrade().ok_or(NoLink::Closed)?, ranges);
        Ok(())
    }

    /// The slots as the first node has them that answers. It is another one each time, since one
    /// that is cut off from the others may be wrong.
    async fn ask(self: &Arc<Self>, pool: &Weak<Shared>) -> Result<Vec<SlotRange>, NoLink> {
        let patience = patience(&*pool.upgrade().ok_or(NoLink::Closed)?);
        let mut asked = HashSet::new();
        for link in self.links_to_ask() {
            if !asked.insert(link.server.node().clone()) {
                continue;
            }
            let handle = link.link.handle();
            if let Ok(Ok(ranges)) =
                timeout(patience, ask_for_slots(handle, &link.server, self)).await
            {
                return Ok(ranges);
            }
        }
        let (mut failed, mut permanent) = (Vec::new(), Vec::new());
        for server in self.others(&asked) {
            // What takes long must not keep the pool.
            let shared = pool.upgrade().ok_or(NoLink::Closed)?;
            match timeout(patience, self.ask_anew(&shared, &server)).await {
                Ok(Ok(ranges)) => return Ok(ranges),
                Ok(Err(NoLink::Failed(error))) if error.reason().is_permanent() => {
                    permanent.push(error);
                }
                Ok(Err(NoLink::Failed(error))) => failed.push(error),
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    let address = server.node().to_string();
                    failed.push(ConnectError::new(address, ConnectReason::TimedOut).into());
                }
            }
        }
        // One bad node among others that will be back is not the end.
        let errors = if permanent.len() > failed.len() { permanent } else { failed };
        let unknown = || ConnectError::new(self.address(), ConnectReason::NoSlots).into();
        Err(NoLink::Failed(errors.into_iter().next_back().unwrap_or_else(unknown)))
    }

    /// Asks a node over a connection that is made for that.
    async fn ask_anew(
        self: &Arc<Self>,
        shared: &Shared,
        server: &Arc<Server>,
    ) -> Result<Vec<SlotRange>, NoLink> {
        let _connecting = self.connecting.mark();
        let permit = self.permit(shared).await.map_err(|_| NoLink::Closed)?;
        shared.governor.turn().await;
        let link = self.connect(shared, server, permit).await.map_err(NoLink::Failed)?;
        let _asking = self.asking.mark();
        let ranges = ask_for_slots(link.handle(), server, self).await;
        ranges.map_err(|error| NoLink::Failed(Arc::new(error)))
    }

    /// Connections of lanes in any order, those to nodes in trouble last.
    fn links_to_ask(&self) -> Vec<Arc<NodeLink>> {
        let mut links: Vec<_> = self.lanes().iter().flat_map(|lane| lane.links()).collect();
        fastrand::shuffle(&mut links);
        links.sort_by_key(|link| link.server.trouble().is_some());
        links
    }

    fn lock_surveys(&self) -> std::sync::MutexGuard<'_, Surveys> {
        self.surveys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nodes that were not asked: those known, and then the seeds, and those in trouble last.
    fn others(&self, asked: &HashSet<crate::Node>) -> Vec<Arc<Server>> {
        let mut seen = asked.clone();
        let slots = self.read();
        let known = slots.masters().iter().chain(slots.replicas()).chain(&self.seeds);
        let known = known.filter(|server| seen.insert(server.node().clone()));
        let mut others: Vec<_> = known.cloned().collect();
        others.sort_by_key(|server| server.trouble().is_some());
        others
    }

    fn learn(&self, shared: &Shared, ranges: Vec<SlotRange>) {
        let slots = Slots::new(ranges);
        let masters = slots.masters().to_vec();
        *self.slots.write().unwrap_or_else(PoisonError::into_inner) = slots;
        let nodes = masters.len();
        let before = self.nodes.swap(nodes, Ordering::AcqRel);
        for lane in self.lanes() {
            lane.keep_only(&masters);
        }
        let (size, lanes) = (shared.size(), shared.board.lanes());
        if before != nodes && lanes * nodes > size {
            tracing::warn!(
                size,
                lanes,
                nodes,
                "the cluster has come to have more nodes than redis.pool.size has sockets for with \
                 this many lanes, so some lanes are closed: raise redis.pool.size"
            );
            shared.board.shrink(0, self.most_lanes(size));
            if let Some(pool) = shared.weak().upgrade() {
                pool.reopen_lanes();
            }
        }
    }
}

/// How long one node is waited for: shortly enough for several before callers give up.
fn patience(shared: &Shared) -> Duration {
    PATIENCE.min(shared.bounds.connect_timeout).min(shared.bounds.timeout / 4)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Loader, Node, RedisPool, RedisSettings};

    #[test]
    fn nodes_in_trouble_are_asked_last() {
        let node = |port| Node::new("127.0.0.1", port).unwrap();
        let cluster = Cluster::new([1, 2, 3].map(node).to_vec(), None);
        let ports = |asked: &[u16]| {
            let others = cluster.others(&asked.iter().copied().map(node).collect());
            others.iter().map(|server| server.node().port()).collect::<Vec<_>>()
        };
        assert_eq!(ports(&[]), [1, 2, 3]);
        let lost = ConnectError::new("127.0.0.1:1", ConnectReason::Lost);
        cluster.server(node(1)).set_trouble(Some(lost.into()));
        assert_eq!(ports(&[]), [2, 3, 1]);
        assert_eq!(ports(&[2]), [3, 1]);
    }

    #[tokio::test]
    async fn callers_at_the_same_time_share_a_failure_and_the_next_ones_try_again() {
        // A port that is taken for as long as this test runs, and where nobody listens.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let seed = socket.local_addr().unwrap().to_string();
        let variables = BTreeMap::from([("REDIS_CLUSTER_SEEDS".to_owned(), seed)]);
        let loader = Loader::new(RedisSettings::schema()).environment(variables);
        let settings = RedisSettings::settle(&mut loader.build().unwrap()).unwrap();
        let pool = RedisPool::builder(settings).build().await.unwrap();
        let shared = Arc::clone(pool.any_lane().shared());
        let cluster = shared.cluster().unwrap();
        for round in 1..3 {
            let asked = tokio::join!(cluster.survey(&shared), cluster.survey(&shared));
            assert!(matches!(asked, (Err(NoLink::Failed(_)), Err(NoLink::Failed(_)))), "{asked:?}");
            assert_eq!(pool.snapshot().connect_failures, [("refused", round)]);
        }
    }
}
