//! Masters and replicas.

use super::instance::RedisServer;
use crate::error::Error;

impl RedisServer {
    /// Makes it a replica of another server, and returns when the link between them is up. What it
    /// held is replaced.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] where the link is not up within 30 s, [`Error::Refused`] where the server
    /// takes no such order, as in a cluster.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have made it a replica.
    pub async fn replicate(&self, master: &RedisServer) -> Result<(), Error> {
        let port = master.port().to_string();
        self.command(&["REPLICAOF", "127.0.0.1", &port]).await?;
        self.linked().await
    }

    /// Makes it a master with what it holds.
    ///
    /// # Errors
    ///
    /// As for [`command`](Self::command).
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have made it a master.
    pub async fn promote(&self) -> Result<(), Error> {
        self.command(&["REPLICAOF", "NO", "ONE"]).await.map(drop)
    }

    /// Whether it is a master.
    ///
    /// # Errors
    ///
    /// As for [`command`](Self::command).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only reads.
    pub async fn is_master(&self) -> Result<bool, Error> {
        let role = self.command(&["ROLE"]).await?;
        Ok(role.array().first().and_then(super::Reply::text) == Some("master"))
    }

    /// Returns when it is a replica whose link to its master is up.
    pub(crate) async fn linked(&self) -> Result<(), Error> {
        self.until("to be linked to its master", || async {
            let fields = self.info("replication").await?;
            let is_up = fields.get("master_link_status").is_some_and(|status| status == "up");
            Ok(is_up.then_some(()))
        })
        .await
    }
}
