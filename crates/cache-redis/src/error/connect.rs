//! Why an attempt to connect failed.

use std::error::Error;
use std::fmt;

/// An attempt to connect that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {address}: {reason}")]
pub struct ConnectError {
    address: String,
    reason: ConnectReason,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ConnectError {
    /// A failure at an address.
    pub fn new(address: impl Into<String>, reason: ConnectReason) -> Self {
        Self { address: address.into(), reason, source: None }
    }

    /// The same failure with what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The host and port that were tried, or those of the sentinels that were asked.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What kind of failure it is.
    pub fn reason(&self) -> ConnectReason {
        self.reason
    }
}

/// What kind of failure kept a connection from being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectReason {
    /// No address is known for the name of the host.
    Name,
    /// Nobody listens there.
    Refused,
    /// There was no answer within `redis.pool.connect_timeout`.
    TimedOut,
    /// The connection ended before it could be used.
    Lost,
    /// The certificates do not fit, on this side or on the other.
    Tls,
    /// The user or the password is wrong, missing, or not allowed to do this.
    Login,
    /// The server has no such database.
    Database,
    /// The server has as many clients as its `maxclients` allows.
    TooManyClients,
    /// The server reads its data from the disk.
    Loading,
    /// No sentinel names a master of the service.
    NoMaster,
    /// The server that should be the master is none.
    NotMaster,
    /// The server is not part of a cluster.
    NoCluster,
    /// The node of a cluster does not know yet who owns which slots.
    NoSlots,
    /// The server answered something that is not understood.
    Protocol,
}

impl ConnectReason {
    /// Every reason.
    pub(crate) const ALL: [Self; 14] = [
        Self::Name,
        Self::Refused,
        Self::TimedOut,
        Self::Lost,
        Self::Tls,
        Self::Login,
        Self::Database,
        Self::TooManyClients,
        Self::Loading,
        Self::NoMaster,
        Self::NotMaster,
        Self::NoCluster,
        Self::NoSlots,
        Self::Protocol,
    ];

    /// Whether trying again cannot help before somebody changes something.
    pub fn is_permanent(self) -> bool {
        matches!(self, Self::Tls | Self::Login | Self::Database | Self::NoCluster)
    }

    /// One word for it, as metrics have it for a label.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Lost => "lost",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Database => "database",
            Self::TooManyClients => "too_many_clients",
            Self::Loading => "loading",
            Self::NoMaster => "no_master",
            Self::NotMaster => "not_master",
            Self::NoCluster => "no_cluster",
            Self::NoSlots => "no_slots",
            Self::Protocol => "protocol",
        }
    }
}

impl fmt::Display for ConnectReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Name => "the name of the host is not known",
            Self::Refused => "nobody listens there",
            Self::TimedOut => "no answer within redis.pool.connect_timeout",
            Self::Lost => "the connection ended before it could be used",
            Self::Tls => "TLS failed, see redis.tls.ca_file and redis.tls.certificate_file",
            Self::Login => {
                "the login was refused, or has no right to ASKING, CLUSTER SLOTS or ROLE where \
                 connecting needs them, see redis.user and redis.password"
            }
            Self::Database => "the database was refused, see redis.db",
            Self::TooManyClients => {
                "the server has no place for another client, see its maxclients and \
                 redis.pool.size of each process"
            }
            Self::Loading => "the server is still reading its data",
            Self::NoMaster => "no sentinel names a master, see redis.sentinel.service",
            Self::NotMaster => "the server is not the master",
            Self::NoCluster => "the server is not part of a cluster, see redis.cluster.seeds",
            Self::NoSlots => "the node does not know yet who owns the slots of its cluster",
            Self::Protocol => "the answer is not one of a Redis server",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let mut words: Vec<_> = ConnectReason::ALL.iter().map(|reason| reason.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ConnectReason::ALL.len());
    }

    #[test]
    fn an_error_names_the_address() {
        let error = ConnectError::new("cache:6379", ConnectReason::Refused);
        assert_eq!(error.to_string(), "cannot connect to cache:6379: nobody listens there");
    }
}
