//! Moving a slot from one master to another, in steps.

use super::cluster::{Cluster, keys};
use crate::error::Error;
use crate::server::RedisServer;
use crate::wait::{self, LIMIT};

/// How many keys one step of a whole move takes along.
const STEP: usize = 100;

/// How long a node may take to hand keys over, in milliseconds.
const HAND_OVER: &str = "5000";

/// A slot on its way from one master to another.
///
/// Until it is finished, the former owner redirects clients to the new one for each key that it no
/// longer has (ASK), and refuses commands whose keys are partly here and partly there (TRYAGAIN).
/// Dropping it leaves the slot as it is.
#[derive(Debug)]
#[must_use]
pub struct SlotMigration<'a> {
    cluster: &'a Cluster,
    slot: u16,
    from: &'a RedisServer,
    to: &'a RedisServer,
}

impl Cluster {
    /// Begins to move a slot to another master; its keys stay where they are.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where that node has the slot already, or is no master; [`Error::Late`]
    /// where the cluster does not settle within 30 s.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have begun it.
    pub async fn begin_move<'a>(
        &'a self,
        slot: u16,
        to: &'a RedisServer,
    ) -> Result<SlotMigration<'a>, Error> {
        let from = self.owner(slot).await?;
        let migration = SlotMigration { cluster: self, slot, from, to };
        migration.set(to, "IMPORTING", from).await?;
        migration.set(from, "MIGRATING", to).await?;
        Ok(migration)
    }

    /// Moves a slot with all its keys to another master.
    ///
    /// # Errors
    ///
    /// As for [`begin_move`](Self::begin_move).
    ///
    /// # Cancel safety
    ///
    /// A dropped call may leave the slot on its way.
    pub async fn move_slot(&self, slot: u16, to: &RedisServer) -> Result<(), Error> {
        self.begin_move(slot, to).await?.finish().await
    }
}

impl SlotMigration<'_> {
    /// The master that had the slot.
    pub fn from(&self) -> &RedisServer {
        self.from
    }

    /// The master that gets it.
    pub fn to(&self) -> &RedisServer {
        self.to
    }

    /// Hands over up to so many keys, and returns how many there were.
    ///
    /// # Errors
    ///
    /// As for [`RedisServer::command`].
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have moved them.
    pub async fn move_keys(&self, count: usize) -> Result<usize, Error> {
        let slot = self.slot.to_string();
        let count = count.to_string();
        let reply = self.from.command(&["CLUSTER", "GETKEYSINSLOT", &slot, &count]).await?;
        let keys = keys(&reply);
        if keys.is_empty() {
            return Ok(0);
        }
        let port = self.to.port().to_string();
        let mut words: Vec<&[u8]> = vec![b"MIGRATE", b"127.0.0.1", port.as_bytes()];
        words.extend([b"".as_slice(), b"0", HAND_OVER.as_bytes()]);
        if let Some(password) = &self.cluster.password {
            words.extend([b"AUTH", password.as_bytes()]);
        }
        words.push(b"KEYS");
        words.extend(&keys);
        self.from.command(&words).await?;
        Ok(keys.len())
    }

    /// Hands over what is left, gives the slot to its new owner, and returns when all nodes know.
    ///
    /// # Errors
    ///
    /// As for [`Cluster::begin_move`].
    ///
    /// # Cancel safety
    ///
    /// A dropped call may leave the slot on its way.
    pub async fn finish(self) -> Result<(), Error> {
        while self.move_keys(STEP).await? > 0 {}
        // The new owner first, so that the slot has one at every moment.
        self.set(self.to, "NODE", self.to).await?;
        self.set(self.from, "NODE", self.to).await?;
        let what = || format!("waited for slot {} to be known in its new place", self.slot);
        wait::until(what, LIMIT, || async {
            let owner = self.cluster.owner(self.slot).await?;
            Ok((owner.port() == self.to.port()).then_some(()))
        })
        .await
    }

    async fn set(&self, on: &RedisServer, state: &str, node: &RedisServer) -> Result<(), Error> {
        let words = ["CLUSTER", "SETSLOT"];
        let id = self.cluster.id(node).ok_or_else(|| on.answer_lacks(&words, "such a node"))?;
        let slot = self.slot.to_string();
        on.command(&["CLUSTER", "SETSLOT", &slot, state, id]).await.map(drop)
    }
}
