//! A master with replicas, and Sentinels that promote one of them when the master fails.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::try_join_all;

use crate::error::Error;
use crate::server::{RedisServer, Reply, ServerBuilder};
use crate::wait::{self, LIMIT};

/// How many Sentinels watch, and how many of them must agree that a master is down.
const SENTINELS: usize = 3;
const QUORUM: &str = "2";

/// After twice as many milliseconds Sentinels that did not agree try again.
const FAILOVER_TIMEOUT: &str = "2000";

/// What the master is called where nothing else is said.
const SERVICE: &str = "mymaster";

/// What a master, its replicas and their Sentinels are to have.
#[derive(Debug, Clone)]
#[must_use]
pub struct SentinelsBuilder {
    server: ServerBuilder,
    replicas: usize,
    service: String,
    down_after: Duration,
}

impl SentinelsBuilder {
    /// What master and replicas are to have: persistence, a password, TLS.
    pub fn server(mut self, server: ServerBuilder) -> Self {
        self.server = server;
        self
    }

    /// How many replicas there are; 1 unless set.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// What the master is called; `mymaster` unless set.
    pub fn service(mut self, service: &str) -> Self {
        service.clone_into(&mut self.service);
        self
    }

    /// How long a master may be silent before it is taken for down; 500 ms unless set.
    pub fn down_after(mut self, down_after: Duration) -> Self {
        self.down_after = down_after;
        self
    }

    /// Starts all of them, and returns when every Sentinel knows every other one and every replica.
    ///
    /// # Errors
    ///
    /// As for [`ServerBuilder::start`].
    ///
    /// # Cancel safety
    ///
    /// A dropped call leaves no process.
    pub async fn start(self) -> Result<Sentinels, Error> {
        let starting = (0..=self.replicas).map(|_| self.server.clone().start());
        let servers = try_join_all(starting).await?;
        if let Some((master, replicas)) = servers.split_first() {
            try_join_all(replicas.iter().map(|replica| replica.replicate(master))).await?;
        }
        let sentinel = self.sentinel(&servers[0]);
        let watching = try_join_all((0..SENTINELS).map(|_| sentinel.clone().start())).await?;
        let started = Sentinels { service: self.service, servers, watching };
        started.settled().await?;
        Ok(started)
    }

    fn sentinel(&self, master: &RedisServer) -> ServerBuilder {
        let service = self.service.as_str();
        let down_after = self.down_after.as_millis().to_string();
        let port = master.port().to_string();
        let sentinel = self
            .server
            .clone()
            .into_sentinel()
            .directive("sentinel", &["monitor", service, "127.0.0.1", &port, QUORUM])
            .directive("sentinel", &["down-after-milliseconds", service, &down_after])
            .directive("sentinel", &["failover-timeout", service, FAILOVER_TIMEOUT]);
        match self.server.default_password() {
            Some(password) => sentinel.directive("sentinel", &["auth-pass", service, password]),
            None => sentinel,
        }
    }
}

/// A master, its replicas, and three Sentinels.
#[derive(Debug)]
pub struct Sentinels {
    service: String,
    servers: Vec<RedisServer>,
    watching: Vec<RedisServer>,
}

impl Sentinels {
    /// Begins to say what they are to have.
    pub fn builder() -> SentinelsBuilder {
        SentinelsBuilder {
            server: RedisServer::builder(),
            replicas: 1,
            service: SERVICE.to_owned(),
            down_after: Duration::from_millis(500),
        }
    }

    /// What the master is called.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The servers with data. The first was the master at the start.
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// The Sentinels.
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.watching
    }

    /// Where clients ask for the master.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.watching.iter().map(RedisServer::address).collect()
    }

    /// The server that all running Sentinels call the master, and that says so itself.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] where they do not agree within 30 s, as with no Sentinel running.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only asks.
    pub async fn master(&self) -> Result<&RedisServer, Error> {
        self.master_that(|_| true).await
    }

    /// Returns the new master, when there is another one than that with this port.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] where none was promoted within 30 s.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only asks.
    pub async fn master_after(&self, former: &RedisServer) -> Result<&RedisServer, Error> {
        self.master_that(|master| master.port() != former.port()).await
    }

    /// Has the Sentinels promote a replica although the master is well, and returns the new master.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] where it does not come to that within 30 s.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have begun it.
    pub async fn failover(&self) -> Result<&RedisServer, Error> {
        let former = self.master().await?;
        let words = ["SENTINEL", "FAILOVER", &self.service];
        let what = || format!("waited for a fail-over of `{}`", self.service);
        wait::until(what, LIMIT, || async {
            if let Some(master) =
                self.agreed().await?.filter(|master| master.port() != former.port())
                && master.is_master().await?
            {
                return Ok(Some(master));
            }
            // One that has begun may be given up, and then it has to be ordered again. It is refused
            // while one is still under way, or while no replica is known to be well.
            let sentinel = self.running_sentinels().next();
            if let Some(sentinel) = sentinel
                && self.named_by(sentinel).await? == Some(former.port())
            {
                sentinel.command(&words).await?;
            }
            Ok(None)
        })
        .await
    }

    /// Returns when all Sentinels run and know each other, and all servers run and are linked to
    /// the master, so that another fail-over can come.
    ///
    /// # Errors
    ///
    /// [`Error::Late`] where it does not come to that within 30 s.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only asks.
    pub async fn settled(&self) -> Result<(), Error> {
        for sentinel in &self.watching {
            sentinel.until("to know the others", || self.is_settled(sentinel)).await?;
        }
        Ok(())
    }

    async fn is_settled(&self, sentinel: &RedisServer) -> Result<Option<()>, Error> {
        let service = self.service.as_str();
        let master = sentinel.command(&["SENTINEL", "MASTER", service]).await?;
        let has = |name: &str, value: &str| master.field(name).and_then(Reply::text) == Some(value);
        let others = (self.watching.len() - 1).to_string();
        if !has("flags", "master") || !has("num-other-sentinels", &others) {
            return Ok(None);
        }
        let replicas = sentinel.command(&["SENTINEL", "REPLICAS", service]).await?;
        let well = replicas.array().iter().filter(|replica| {
            let value = |name: &str| replica.field(name).and_then(Reply::text);
            value("flags") == Some("slave") && value("master-link-status") == Some("ok")
        });
        Ok((well.count() == self.servers.len() - 1).then_some(()))
    }

    async fn master_that(
        &self,
        accept: impl Fn(&RedisServer) -> bool,
    ) -> Result<&RedisServer, Error> {
        let what = || format!("waited for the Sentinels to agree on the master `{}`", self.service);
        let accept = &accept;
        wait::until(what, LIMIT, || async move {
            let Some(master) = self.agreed().await?.filter(|master| accept(master)) else {
                return Ok(None);
            };
            Ok(master.is_master().await?.then_some(master))
        })
        .await
    }

    /// The server that all running Sentinels name.
    async fn agreed(&self) -> Result<Option<&RedisServer>, Error> {
        let mut named = None;
        for sentinel in self.running_sentinels() {
            let port = self.named_by(sentinel).await?;
            if port.is_none() || named.is_some_and(|named| Some(named) != port) {
                return Ok(None);
            }
            named = port;
        }
        Ok(named.and_then(|port| self.servers.iter().find(|server| server.port() == port)))
    }

    /// The port of the master that a Sentinel names.
    async fn named_by(&self, sentinel: &RedisServer) -> Result<Option<u16>, Error> {
        let words = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", &self.service];
        let reply = sentinel.command(&words).await?;
        Ok(reply.array().get(1).and_then(Reply::text).and_then(|port| port.parse().ok()))
    }

    fn running_sentinels(&self) -> impl Iterator<Item = &RedisServer> {
        self.watching.iter().filter(|sentinel| sentinel.process_id().is_some())
    }
}
