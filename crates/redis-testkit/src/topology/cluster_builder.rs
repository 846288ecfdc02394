//! Making a cluster out of servers that do not know each other.

use std::time::Duration;

use futures_util::future::{try_join, try_join_all};

use super::cluster::Cluster;
use super::nodes::SLOTS;
use crate::error::Error;
use crate::ports;
use crate::server::{RedisServer, ServerBuilder};

/// How many masters there are, each with one replica.
pub(super) const MASTERS: usize = 3;

/// How often a node is tried where its port for the others is taken.
const ATTEMPTS: usize = 5;

/// What the nodes of a cluster are to have.
#[derive(Debug, Clone)]
#[must_use]
pub struct ClusterBuilder {
    server: ServerBuilder,
    node_timeout: Duration,
}

impl ClusterBuilder {
    pub(super) fn new() -> Self {
        Self { server: RedisServer::builder(), node_timeout: Duration::from_secs(1) }
    }

    /// What each node is to have: persistence, a password, TLS.
    pub fn server(mut self, server: ServerBuilder) -> Self {
        self.server = server;
        self
    }

    /// How long a node may be silent before it is taken for failed; 1 s unless set.
    pub fn node_timeout(mut self, node_timeout: Duration) -> Self {
        self.node_timeout = node_timeout;
        self
    }

    /// Starts three masters with a replica each, and returns when all of them agree on the slots
    /// and every replica is linked to its master.
    ///
    /// # Errors
    ///
    /// As for [`ServerBuilder::start`].
    ///
    /// # Cancel safety
    ///
    /// A dropped call leaves no process.
    pub async fn start(self) -> Result<Cluster, Error> {
        let password = self.server.default_password().map(ToOwned::to_owned);
        let nodes = try_join_all((0..2 * MASTERS).map(|_| self.start_node())).await?;
        let (nodes, bus_ports): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
        let ids = try_join_all(nodes.iter().map(own_id)).await?;
        for (place, node) in nodes.iter().enumerate() {
            // Without epochs of their own the masters would have to settle a conflict first.
            let epoch = (place + 1).to_string();
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await?;
            if let Some((first, last)) = slots_of(place) {
                let (first, last) = (first.to_string(), last.to_string());
                node.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await?;
            }
        }
        for (node, bus_port) in nodes.iter().zip(&bus_ports).skip(1) {
            let (port, bus_port) = (node.port().to_string(), bus_port.to_string());
            nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus_port]).await?;
        }
        let masters = nodes.iter().zip(&ids).take(MASTERS);
        try_join_all(masters.zip(&nodes[MASTERS..]).map(|((master, id), replica)| async {
            replica
                .until("to know its master", || async {
                    replica.command(&["CLUSTER", "REPLICATE", id]).await.map(Some)
                })
                .await?;
            try_join(replica.linked(), master.ready()).await
        }))
        .await?;
        let cluster = Cluster::new(nodes, ids, password);
        cluster.settled().await?;
        Ok(cluster)
    }

    /// A node, and the port on which the others reach it.
    async fn start_node(&self) -> Result<(RedisServer, u16), Error> {
        let mut attempt = 1;
        loop {
            let bus_port = ports::free()?;
            match self.node(bus_port).start().await {
                // Somebody else may have taken that port meanwhile.
                Err(error) if attempt < ATTEMPTS && error.is_taken_port() => attempt += 1,
                started => return Ok((started?, bus_port)),
            }
        }
    }

    fn node(&self, bus_port: u16) -> ServerBuilder {
        let node = self
            .server
            .clone()
            .directive("cluster-enabled", &["yes"])
            .directive("cluster-port", &[&bus_port.to_string()])
            .directive("cluster-node-timeout", &[&self.node_timeout.as_millis().to_string()])
            // A replica that is the last of its master must not go to another one.
            .directive("cluster-allow-replica-migration", &["no"]);
        if self.server.has_tls() { node.directive("tls-cluster", &["yes"]) } else { node }
    }
}

async fn own_id(node: &RedisServer) -> Result<String, Error> {
    let words = ["CLUSTER", "MYID"];
    let reply = node.command(&words).await?;
    reply.text().map(ToOwned::to_owned).ok_or_else(|| node.answer_lacks(&words, "an id"))
}

/// The slots of a master, the first and the last; none for a replica.
fn slots_of(place: usize) -> Option<(u16, u16)> {
    let place = u16::try_from(place).ok()?;
    let masters = u16::try_from(MASTERS).ok()?;
    let share = SLOTS / masters;
    let last = if place + 1 == masters { SLOTS } else { (place + 1) * share };
    (place < masters).then(|| (place * share, last - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_masters_share_all_slots() {
        assert_eq!(slots_of(0), Some((0, 5460)));
        assert_eq!(slots_of(1), Some((5461, 10_921)));
        assert_eq!(slots_of(2), Some((10_922, 16_383)));
        assert_eq!(slots_of(3), None);
    }
}
