//! Asking the nodes of a cluster who owns which slots.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until, timeout};

use super::lane::NoLink;
use super::server::Server;
use super::slots::{SlotRange, Slots};
use super::view::Cluster;
use crate::connection::ask_for_slots;
use crate::pool::Shared;
use crate::{ConnectError, ConnectReason};

/// How long one node is waited for that others can stand in for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The least time between two looks, so that many who wait for a node do not burden the others.
const SPACING: Duration = Duration::from_millis(20);

impl Cluster {
    /// Asks the nodes who owns which slots. Callers at the same time share one answer.
    ///
    /// A future that is dropped leaves nothing behind.
    pub(crate) async fn survey(self: &Arc<Self>, shared: &Shared) -> Result<(), NoLink> {
        let before = self.surveys.load(Ordering::Acquire);
        let mut last = self.survey.lock().await;
        if self.surveys.load(Ordering::Acquire) != before {
            return Ok(());
        }
        if let Some(last) = *last {
            sleep_until(last + SPACING).await;
        }
        *last = Some(Instant::now());
        self.learn(shared, self.ask(shared).await?);
        Ok(())
    }

    /// The slots as the first node has them that answers.
    async fn ask(self: &Arc<Self>, shared: &Shared) -> Result<Vec<SlotRange>, NoLink> {
        let patience = PATIENCE.min(shared.bounds.connect_timeout);
        let mut asked = HashSet::new();
        for link in self.lanes().iter().flat_map(|lane| lane.links()) {
            if !asked.insert(link.server.node().clone()) {
                continue;
            }
            let handle = link.link.handle();
            match timeout(patience, ask_for_slots(handle, &link.server, self)).await {
                Ok(Ok(ranges)) => return Ok(ranges),
                Ok(Err(_)) => {}
                Err(_) => link.retire(),
            }
        }
        let mut last = ConnectError::new(self.address(), ConnectReason::NoSlots).into();
        for server in self.others(&asked) {
            let attempt = async {
                let link = self.connect(shared, &server).await.map_err(|_| NoLink::Closed)?;
                let link = link.map_err(NoLink::Failed)?;
                let ranges = ask_for_slots(link.handle(), &server, self).await;
                ranges.map_err(|error| NoLink::Failed(Arc::new(error)))
            };
            match timeout(patience, attempt).await {
                Ok(Ok(ranges)) => return Ok(ranges),
                Ok(Err(NoLink::Failed(error))) if !error.reason().is_permanent() => last = error,
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    let address = server.node().to_string();
                    last = ConnectError::new(address, ConnectReason::TimedOut).into();
                }
            }
        }
        Err(NoLink::Failed(last))
    }

    /// The same in the background, for those who know already what they need.
    pub(crate) fn survey_soon(self: &Arc<Self>, shared: &Shared) {
        // Where one is under way, it will do.
        let is_idle = self.survey.try_lock().is_ok();
        if let (true, Ok(runtime), Some(pool)) =
            (is_idle, Handle::try_current(), shared.weak().upgrade())
        {
            let cluster = Arc::clone(self);
            let most = shared.bounds.timeout;
            runtime.spawn(async move {
                // Whoever needs it and does not find it asks again.
                let _ = timeout(most, cluster.survey(&pool)).await;
            });
        }
    }

    /// Nodes that were not asked: those known, and then the seeds.
    fn others(&self, asked: &HashSet<crate::Node>) -> Vec<Arc<Server>> {
        let mut seen = asked.clone();
        let slots = self.read();
        let known = slots.masters().iter().chain(slots.replicas()).chain(&self.seeds);
        known.filter(|server| seen.insert(server.node().clone())).cloned().collect()
    }

    fn learn(&self, shared: &Shared, ranges: Vec<SlotRange>) {
        let slots = Slots::new(ranges);
        let masters = slots.masters().to_vec();
        *self.slots.write().unwrap_or_else(std::sync::PoisonError::into_inner) = slots;
        let nodes = masters.len();
        let before = self.nodes.swap(nodes, Ordering::AcqRel);
        self.surveys.fetch_add(1, Ordering::AcqRel);
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
