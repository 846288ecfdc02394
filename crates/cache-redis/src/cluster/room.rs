//! Sockets for new connections.

use std::sync::Arc;

use super::lane::ClusterLane;
use super::node_link::NodeLink;
use super::view::Cluster;
use crate::metrics::Reaped;
use crate::pool::{CapClosed, Permit, Shared};

impl Cluster {
    /// Waits for a socket. Where all are taken, and those that are just closing will not do, a
    /// connection of a lane gives way.
    pub(super) async fn permit(&self, shared: &Shared) -> Result<Permit, CapClosed> {
        if shared.is_closed() {
            return Err(CapClosed);
        }
        if let Some(permit) = shared.sockets.try_acquire() {
            return Ok(permit);
        }
        self.make_room(shared);
        shared.sockets.acquire().await
    }

    /// Lets go of connections as long as there are more than sockets, with those about to be made.
    ///
    /// Lanes have as many connections to masters as there are sockets, at the most; but a slot may
    /// be on its way to a node that owns none yet, and a node that owns none any more may be asked.
    fn make_room(&self, shared: &Shared) {
        loop {
            let lanes = self.lanes();
            let serving: usize = lanes.iter().map(|lane| lane.links().len()).sum();
            if serving + self.connecting.get() <= shared.size() {
                return;
            }
            let Some((lane, link)) = self.least_needed(&lanes) else { return };
            let dropped = lane.drop_links(1, |other| Arc::ptr_eq(other, &link));
            shared.meters.reaped(Reaped::MadeRoom, dropped);
        }
    }

    /// The connection that does least: one that is idle, to a node that owns no slots, or the one
    /// whose last use is the longest ago.
    fn least_needed(
        &self,
        lanes: &[Arc<ClusterLane>],
    ) -> Option<(Arc<ClusterLane>, Arc<NodeLink>)> {
        let masters = self.masters();
        let all = lanes
            .iter()
            .flat_map(|lane| lane.links().into_iter().map(|link| (Arc::clone(lane), link)));
        all.min_by_key(|(_, link)| {
            let is_master = masters.iter().any(|master| Arc::ptr_eq(master, &link.server));
            (link.in_flight(), is_master, link.used())
        })
    }
}
