//! Commands of a cluster that were cancelled after they were sent.
//!
//! Their node answers them all the same, and until then each keeps its place and its key's turn.
//! Answers come in the order of the commands, so that one PING proves all that were sent before it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::cluster::{KeyTurn, NodeLink};
use crate::lanes::Place;
use crate::pool::Mark;

/// What a command keeps until it is answered.
pub(super) struct Kept {
    pub(super) place: Place,
    pub(super) turn: Option<KeyTurn>,
    pub(super) in_flight: Option<Mark>,
}

impl Kept {
    fn leave(self, link: &NodeLink) {
        link.touch(self.place.pool());
        self.place.ended();
        drop((self.turn, self.in_flight));
    }
}

/// The cancelled commands of a connection that no PING was sent for yet.
#[derive(Default)]
pub(crate) struct Cancelled(Mutex<State>);

#[derive(Default)]
struct State {
    kept: Vec<Kept>,
    is_proving: bool,
}

impl Cancelled {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next ones to wait for; nothing if there are none, and then none is waited for.
    fn next(&self) -> Option<Vec<Kept>> {
        let mut state = self.lock();
        state.is_proving = !state.kept.is_empty();
        state.is_proving.then(|| std::mem::take(&mut state.kept))
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cancelled").finish_non_exhaustive()
    }
}

/// Keeps what a cancelled command has until its node has answered it.
pub(super) fn keep(link: Arc<NodeLink>, kept: Kept) {
    let Ok(runtime) = Handle::try_current() else {
        // Nothing can be proven, so the connection is not used again.
        link.retire();
        return kept.leave(&link);
    };
    let is_first = {
        let mut state = link.cancelled.lock();
        state.kept.push(kept);
        !std::mem::replace(&mut state.is_proving, true)
    };
    if is_first {
        runtime.spawn(Proof { link, kept: Vec::new(), is_over: false }.run());
    }
}

/// Waits for the cancelled commands of a connection, one PING after the other.
struct Proof {
    link: Arc<NodeLink>,
    /// The commands that are waited for.
    kept: Vec<Kept>,
    is_over: bool,
}

impl Proof {
    async fn run(mut self) {
        while let Some(kept) = self.link.cancelled.next() {
            let patience = kept.first().map(|kept| kept.place.response_timeout());
            self.kept = kept;
            let fence = self.link.link.handle().fence();
            if timeout(patience.unwrap_or_default(), fence).await.is_err() {
                self.link.retire();
            }
            self.leave();
        }
        self.is_over = true;
    }

    fn leave(&mut self) {
        for kept in self.kept.drain(..) {
            kept.leave(&self.link);
        }
    }
}

/// A runtime that ends drops what it runs: the places must not be lost with it. Nothing is proven
/// then, so the connection is not used again.
impl Drop for Proof {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.link.retire();
        self.leave();
        while let Some(kept) = self.link.cancelled.next() {
            self.kept = kept;
            self.leave();
        }
    }
}
