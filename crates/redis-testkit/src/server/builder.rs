//! Saying what a server is to have.

use std::fmt;

use super::config::{ClientCertificates, Durability, Kind, Options, TlsFiles, User};
use super::instance::RedisServer;
use crate::binary::ServerBinary;
use crate::certificates::Certificates;
use crate::error::Error;
use crate::ports;

/// How often another port is tried when somebody else took the one that was free.
const ATTEMPTS: usize = 5;

/// What a server is to have. Without more it has no password, no TLS, no persistence and no limits.
#[derive(Clone, Default)]
#[must_use]
pub struct ServerBuilder {
    options: Options,
}

impl ServerBuilder {
    /// What it keeps through a kill.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.options.durability = durability;
        self
    }

    /// How many bytes its data may take, and what it does beyond: `noeviction`, `allkeys-lru`, ….
    pub fn max_memory(self, bytes: u64, policy: &str) -> Self {
        self.directive("maxmemory", &[&bytes.to_string()]).directive("maxmemory-policy", &[policy])
    }

    /// How many clients it accepts, the control connection included.
    pub fn max_clients(self, clients: u32) -> Self {
        self.directive("maxclients", &[&clients.to_string()])
    }

    /// The password of the default user.
    pub fn password(mut self, password: &str) -> Self {
        self.options.password = Some(password.to_owned());
        self
    }

    /// A user with a password and rules of an access list: `~memory:* +@read`. With users, the
    /// default user is off unless it has a [`password`](Self::password).
    pub fn user(mut self, name: &str, password: &str, rules: &str) -> Self {
        self.options.users.push(User {
            name: name.to_owned(),
            password: password.to_owned(),
            rules: rules.to_owned(),
        });
        self
    }

    /// Speaks TLS only, also with replicas. The certificates must live as long as the server.
    pub fn tls(mut self, certificates: &Certificates, clients: ClientCertificates) -> Self {
        self.options.tls = Some(TlsFiles {
            authority: certificates.authority(),
            certificate: certificates.server_certificate(),
            key: certificates.server_key(),
            clients,
        });
        self
    }

    /// Takes 10 ms for each key that it loads after a restart, and answers meanwhile that it is
    /// loading, until [`RedisServer::load_quickly`].
    pub fn slow_loading(self) -> Self {
        self.directive("key-load-delay", &["10000"])
            .directive("loading-process-events-interval-bytes", &["1024"])
    }

    /// A line of its file of settings; each value is quoted. It overrides what this builder writes.
    pub fn directive(mut self, name: &str, values: &[&str]) -> Self {
        let values: Vec<String> = values.iter().map(|value| super::quoted(value)).collect();
        self.options.directives.push((name.to_owned(), values.join(" ")));
        self
    }

    /// Makes it a Sentinel.
    pub(crate) fn sentinel(mut self) -> Self {
        self.options.kind = Kind::Sentinel;
        self
    }

    /// The default user's password, where there is one.
    pub(crate) fn default_password(&self) -> Option<&str> {
        self.options.password.as_deref()
    }

    /// Whether it speaks TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.options.tls.is_some()
    }

    /// Keeps what links to other servers need, and drops what only data needs.
    pub(crate) fn into_sentinel(self) -> Self {
        let options = Options { tls: self.options.tls, ..Options::default() };
        Self { options }.sentinel()
    }

    /// Starts it on a free port of `127.0.0.1`, and returns when it has answered a PING.
    ///
    /// # Errors
    ///
    /// [`Error::NoServer`] and [`Error::NamedServer`] where there is no program to start,
    /// [`Error::NoTls`] where it has no TLS, [`Error::Option`] for a value that cannot be written
    /// down, [`Error::Ended`] with its log where it ended by itself, and [`Error::Late`] where it
    /// answers nothing for 30 s.
    ///
    /// # Cancel safety
    ///
    /// A dropped call leaves no process.
    pub async fn start(self) -> Result<RedisServer, Error> {
        self.options.check()?;
        let binary = ServerBinary::find()?;
        let mut attempt = 1;
        loop {
            let server = RedisServer::create(&binary, ports::free()?, &self.options)?;
            match server.restart().await {
                Ok(()) => return Ok(server),
                Err(error) if attempt < ATTEMPTS && error.is_taken_port() => attempt += 1,
                Err(Error::Ended { log, .. }) if self.has_tls() && lacks_tls(&log) => {
                    return Err(Error::NoTls { path: binary.path().to_owned() });
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether a server says that it was built without TLS: one does not know the directive, another
/// does not know how to listen.
fn lacks_tls(log: &str) -> bool {
    ["'tls-port", "connection type tls"].iter().any(|words| log.contains(words))
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { kind, durability, password, users, tls, directives } = &self.options;
        f.debug_struct("ServerBuilder")
            .field("kind", kind)
            .field("durability", durability)
            .field("has_password", &password.is_some())
            .field("users", &users.iter().map(|user| &user.name).collect::<Vec<_>>())
            .field("tls", tls)
            .field("directives", &directives.iter().map(|(name, _)| name).collect::<Vec<_>>())
            .finish()
    }
}
