//! A node of a cluster.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Node;

/// One node, whoever owns which slots. There is one value for each address.
#[derive(Debug)]
pub(crate) struct Server {
    node: Node,
    answers: AtomicU64,
}

impl Server {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, answers: AtomicU64::new(0) }
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Notes that it answered.
    pub(crate) fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has answered.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }
}
