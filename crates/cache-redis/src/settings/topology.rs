//! How the servers stand to each other.

use super::credentials::Credentials;
use super::node::Node;

/// Where the servers are, and who knows which of them to use.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topology {
    /// One server.
    Single(Node),
    /// A service of several servers, whose master the sentinels name.
    Sentinel {
        /// The name under which the sentinels watch the service.
        service: String,
        /// The sentinels, at least one.
        sentinels: Vec<Node>,
        /// What the sentinels themselves are logged in to with.
        credentials: Option<Credentials>,
    },
    /// A cluster, each of whose nodes knows all the others.
    Cluster {
        /// Nodes to ask for the others, at least one.
        seeds: Vec<Node>,
    },
}
