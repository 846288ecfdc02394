//! Bounds of connections that nobody uses, in a cluster.

use std::sync::Arc;

use super::node_link::NodeLink;
use super::view::Cluster;
use crate::metrics::Reaped;
use crate::pool::Shared;

impl Cluster {
    /// Connections with commands on them.
    pub(crate) fn busy(&self) -> usize {
        let links = self.lanes().into_iter().flat_map(|lane| lane.links());
        // One is the lane's, and one is that of this list.
        links.filter(|link| Arc::strong_count(link) > 2).count()
    }

    /// Closes connections that are too old, idle for too long, or too many.
    pub(crate) fn reap(&self, shared: &Shared) {
        let bounds = &shared.bounds;
        if let Some(age) = bounds.max_lifetime {
            let aged = self.drop_links(usize::MAX, |link| link.link.born.elapsed() >= age);
            shared.meters.reaped(Reaped::MaxLifetime, aged);
        }
        let stale = self.drop_links(usize::MAX, |link| !link.is_usable());
        shared.meters.reaped(Reaped::Stale, stale);
        let is_idle = |link: &Arc<NodeLink>| Arc::strong_count(link) == 1;
        let spare = shared.idle_sockets().saturating_sub(bounds.min_idle);
        let idle = self.drop_links(spare, |link| {
            is_idle(link) && link.is_idle_for(bounds.idle_timeout, shared)
        });
        shared.meters.reaped(Reaped::IdleTimeout, idle);
        let excess = shared.idle_sockets().saturating_sub(bounds.max_idle);
        shared.meters.reaped(Reaped::MaxIdle, self.drop_links(excess, is_idle));
        // Lanes without connections cost nothing, but there need not be any number of them.
        if spare > 0 {
            shared.board.close_idle_for(bounds.idle_timeout, spare / shared.sockets_per_lane());
        }
    }

    /// Opens connections until so many are idle as are always kept, or every lane has all.
    pub(crate) async fn top_up(self: &Arc<Self>, shared: &Arc<Shared>) {
        while shared.idle_sockets() < shared.bounds.min_idle {
            if self.nodes() == 0 && self.survey(shared).await.is_err() {
                return;
            }
            let masters = self.masters();
            let missing = self.lanes().into_iter().find_map(|lane| {
                let server = masters.iter().find(|server| lane.ready(server, shared).is_none())?;
                Some((lane, Arc::clone(server)))
            });
            let is_done = match missing {
                Some((lane, server)) => lane.connect(shared, self, &server).await.is_err(),
                None => !shared.add_lane(self),
            };
            if is_done {
                return;
            }
        }
    }

    /// Lets go of up to so many of the connections that are chosen, those of the last lane first.
    fn drop_links(&self, most: usize, chosen: impl Fn(&Arc<NodeLink>) -> bool) -> usize {
        let mut left = most;
        for lane in self.lanes().into_iter().rev() {
            left -= lane.drop_links(left, &chosen);
        }
        most - left
    }
}
