//! Where commands go.

/// Where a command goes. A lane has places for each destination by itself, so that a node of a
/// cluster which does not answer takes none from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To the one server that a pool leads to.
    Server,
    /// To a node of a cluster, by its number.
    Node(u64),
}
