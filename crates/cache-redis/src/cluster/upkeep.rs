//! Bounds of connections that nobody uses, in a cluster.

use std::sync::Arc;

use super::attempt::Attempt;
use super::node_link::NodeLink;
use super::view::Cluster;
use crate::metrics::Reaped;
use crate::pool::Shared;

impl Cluster {
    /// Connections with commands on them, and those to ask for slots.
    pub(crate) fn busy(&self) -> usize {
        let busy = self.links().into_iter().filter(|link| link.in_flight() > 0).count();
        busy + self.asking.get()
    }

    /// Connections that nobody uses.
    pub(crate) fn idle(&self) -> usize {
        let idle = self.links().into_iter().filter(|link| link.in_flight() == 0);
        idle.filter(|link| link.is_usable()).count()
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
        let is_idle = |link: &Arc<NodeLink>| link.in_flight() == 0;
        let spare = shared.idle_sockets().saturating_sub(bounds.min_idle);
        let idle = self.drop_links(spare, |link| {
            is_idle(link) && link.is_idle_for(bounds.idle_timeout, shared)
        });
        shared.meters.reaped(Reaped::IdleTimeout, idle);
        let excess = shared.idle_sockets().saturating_sub(bounds.max_idle);
        shared.meters.reaped(Reaped::MaxIdle, self.drop_links(excess, is_idle));
        // Lanes without connections cost nothing, but there need not be any number of them.
        shared.board.close_bare(bounds.idle_timeout);
    }

    /// Opens connections until so many are idle as are always kept, or every lane has all.
    pub(crate) async fn top_up(self: &Arc<Self>, shared: &Arc<Shared>) {
        if shared.idle_sockets() >= shared.bounds.min_idle
            || (self.nodes() == 0 && self.survey(shared).await.is_err())
        {
            return;
        }
        let masters = self.masters();
        loop {
            for lane in self.lanes() {
                for server in &masters {
                    if lane.ready(server, shared).is_some() {
                        continue;
                    }
                    // Nobody gives way for what is kept idle.
                    let sockets = self.open.get() + self.connecting.get();
                    if shared.idle_sockets() >= shared.bounds.min_idle || sockets >= shared.size() {
                        return;
                    }
                    if let Ok(mut attempt) = lane.connect(shared, self, server) {
                        // A node that cannot be reached leaves the others to be tried.
                        let _ = Attempt::end(&mut attempt).await;
                    }
                }
            }
            if !shared.add_lane(self) {
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
