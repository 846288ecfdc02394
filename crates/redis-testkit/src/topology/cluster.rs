//! Three masters with a replica each.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures_util::future::try_join_all;

use super::cluster_builder::ClusterBuilder;
use super::nodes::{self, Node};
use crate::error::Error;
use crate::server::{RedisServer, Reply, fields};
use crate::wait::{self, LIMIT};

/// A cluster of six nodes. The first three were masters at the start, and the next three their
/// replicas, in the same order.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<RedisServer>,
    /// By place.
    ids: Vec<String>,
    pub(super) password: Option<String>,
}

impl Cluster {
    /// Begins to say what its nodes are to have.
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder::new()
    }

    pub(super) fn new(nodes: Vec<RedisServer>, ids: Vec<String>, password: Option<String>) -> Self {
        Self { nodes, ids, password }
    }

    /// The nodes.
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// Where clients begin.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(RedisServer::address).collect()
    }

    /// The slot of a key, from 0 to 16383.
    ///
    /// # Errors
    ///
    /// [`Error::NotRunning`] where no node runs.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only asks.
    pub async fn slot_of(&self, key: &[u8]) -> Result<u16, Error> {
        let node = self.any_running()?;
        let words: [&[u8]; 3] = [b"CLUSTER", b"KEYSLOT", key];
        let slot = node.command(&words).await?.integer();
        let slot = slot.and_then(|slot| u16::try_from(slot).ok());
        slot.ok_or_else(|| node.answer_lacks(&["CLUSTER", "KEYSLOT"], "a slot"))
    }

    /// The master that owns a slot, when the cluster has settled.
    ///
    /// # Errors
    ///
    /// As for [`settled`](Self::settled).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only asks.
    pub async fn owner(&self, slot: u16) -> Result<&RedisServer, Error> {
        self.settled().await?;
        let node = self.any_running()?;
        let known = self.known_to(node).await?;
        let owner =
            known.iter().find(|known| known.slots.iter().any(|slots| slots.contains(&slot)));
        owner
            .and_then(|owner| self.node(&owner.id))
            .ok_or_else(|| node.answer_lacks(&["CLUSTER", "NODES"], "the slot's owner"))
    }

    /// Has the replica of a master take its place, although the master is well, and returns that
    /// replica when the cluster has settled.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] where it does not come to that within 30 s.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have begun it.
    pub async fn failover(&self, master: &RedisServer) -> Result<&RedisServer, Error> {
        let id = self.id(master);
        let known = self.known_to(master).await?;
        let replica = known
            .iter()
            .filter(|node| node.master.as_deref() == id)
            .find_map(|node| self.node(&node.id).filter(|node| node.process_id().is_some()))
            .ok_or_else(|| master.answer_lacks(&["CLUSTER", "NODES"], "a running replica"))?;
        replica.command(&["CLUSTER", "FAILOVER"]).await?;
        replica
            .until("to become a master", || async { Ok(replica.is_master().await?.then_some(())) })
            .await?;
        self.settled().await?;
        Ok(replica)
    }

    /// Returns when the running nodes agree on which of them own the slots, say that the cluster is
    /// well, and all replicas among them are linked to their masters.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] where it does not come to that within 30 s, as with a paused node, or with a
    /// master and its replica both killed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only asks.
    pub async fn settled(&self) -> Result<(), Error> {
        let what = || "waited for the nodes of a cluster to agree".to_owned();
        wait::until(what, LIMIT, || async { Ok(self.is_settled().await?.then_some(())) }).await
    }

    async fn is_settled(&self) -> Result<bool, Error> {
        let running: Vec<_> =
            self.nodes.iter().filter(|node| node.process_id().is_some()).collect();
        let views = try_join_all(running.iter().map(|node| self.known_to(node))).await?;
        let Some(owners) = views.first().and_then(|view| nodes::owners(view)) else {
            return Ok(false);
        };
        let is_running = |id: &str| self.node(id).is_some_and(|node| node.process_id().is_some());
        let agree = views.iter().all(|view| {
            nodes::owners(view).as_ref() == Some(&owners)
                && view.iter().filter(|node| is_running(&node.id)).all(|node| !node.is_doubtful)
                && view.iter().filter(|node| is_running(&node.id)).count() == running.len()
                && masters(view) == masters(&views[0])
        });
        if !agree || !owners.keys().all(|id| is_running(id)) {
            return Ok(false);
        }
        let well = try_join_all(running.iter().map(|node| is_well(node))).await?;
        Ok(well.into_iter().all(|well| well))
    }

    /// All nodes, as one of them sees them.
    pub(super) async fn known_to(&self, node: &RedisServer) -> Result<Vec<Node>, Error> {
        let words = ["CLUSTER", "NODES"];
        let reply = node.command(&words).await?;
        let nodes = reply.text().and_then(nodes::parse);
        nodes.ok_or_else(|| node.answer_lacks(&words, "a list of nodes"))
    }

    /// The id of a node.
    pub(super) fn id(&self, node: &RedisServer) -> Option<&str> {
        let place = self.nodes.iter().position(|other| other.port() == node.port())?;
        Some(&self.ids[place])
    }

    fn node(&self, id: &str) -> Option<&RedisServer> {
        let place = self.ids.iter().position(|other| other == id)?;
        Some(&self.nodes[place])
    }

    fn any_running(&self) -> Result<&RedisServer, Error> {
        let running = self.nodes.iter().find(|node| node.process_id().is_some());
        running.ok_or(Error::NotRunning { port: self.nodes[0].port() })
    }
}

/// Whose replica each node is.
fn masters(view: &[Node]) -> BTreeMap<&str, Option<&str>> {
    view.iter().map(|node| (node.id.as_str(), node.master.as_deref())).collect()
}

/// Whether a node says that the cluster is well, and has its link if it is a replica.
async fn is_well(node: &RedisServer) -> Result<bool, Error> {
    let words = ["CLUSTER", "INFO"];
    let reply = node.command(&words).await?;
    let info = fields(reply.text().ok_or_else(|| node.answer_lacks(&words, "a text"))?);
    if info.get("cluster_state").is_none_or(|state| state != "ok") {
        return Ok(false);
    }
    let role = node.command(&["ROLE"]).await?;
    Ok(match role.array() {
        [name, _host, _port, state, ..] if name.text() == Some("slave") => {
            state.text() == Some("connected")
        }
        [name, ..] => name.text() == Some("master"),
        [] => false,
    })
}

/// A reply that is an array of keys.
pub(super) fn keys(reply: &Reply) -> Vec<&[u8]> {
    reply.array().iter().filter_map(Reply::bytes).collect()
}
