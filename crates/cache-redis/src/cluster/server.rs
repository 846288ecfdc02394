//! A node of a cluster.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::lanes::Destination;
use crate::pool::{Generation, Generations};
use crate::{ConnectError, Node};

/// One node, whoever owns which slots. There is one value for each address.
#[derive(Debug)]
pub(crate) struct Server {
    node: Node,
    /// No other one has or had it.
    number: u64,
    generations: Generations,
    answers: AtomicU64,
    trouble: Mutex<Option<Arc<ConnectError>>>,
}

impl Server {
    pub(crate) fn new(node: Node, number: u64) -> Self {
        Self {
            node,
            number,
            generations: Generations::default(),
            answers: AtomicU64::new(0),
            trouble: Mutex::default(),
        }
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Where commands to it go.
    pub(crate) fn destination(&self) -> Destination {
        Destination::Node(self.number)
    }

    /// That of connections to it that are made now.
    pub(crate) fn generation(&self) -> Generation {
        self.generations.current()
    }

    /// Ends a generation of connections to it; false if it had ended before.
    pub(super) fn end(&self, failed: Generation) -> bool {
        self.generations.end(failed)
    }

    /// Why it could not be used the last time that it was tried, where it could not.
    pub(crate) fn trouble(&self) -> Option<Arc<ConnectError>> {
        self.lock().clone()
    }

    /// Notes why it cannot be used, or that it can.
    pub(crate) fn set_trouble(&self, trouble: Option<Arc<ConnectError>>) {
        *self.lock() = trouble;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<ConnectError>>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
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
