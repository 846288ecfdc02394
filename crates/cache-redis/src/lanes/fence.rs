//! Commands that were cancelled after they were sent.
//!
//! The server answers them all the same. Until then their keys have to keep to their lane, or a
//! later command could overtake one that is still on its way. Answers come in the order of the
//! commands, so a PING that is answered proves that everything sent before it is.

use std::sync::{Arc, Weak};

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::board::{Board, Freed};
use super::link::LaneHandle;
use super::state::{LaneId, Mode};
use crate::pool::Shared;

impl Board {
    /// Keeps the place of a cancelled command until the server has answered it.
    pub(super) fn cancel(&self, shared: &Arc<Shared>, id: LaneId, key: Option<u64>) {
        let runtime = Handle::try_current();
        {
            let mut state = self.lock();
            let Some(lane) = state.lane(id) else { return };
            if let (Mode::Serving | Mode::Draining, Ok(runtime)) = (lane.mode, &runtime) {
                lane.cancelled.push(key);
                let is_first = !std::mem::replace(&mut lane.fencing, true);
                drop(state);
                if is_first {
                    let fence = Fence::new(shared, id);
                    runtime.spawn(fence.run());
                }
                return;
            }
        }
        // Without a runtime nothing can be proven, so the lane is not used again.
        self.fail(shared, id);
        self.release(shared, Freed::unanswered(id, key));
    }

    /// The next commands to wait for; nothing if there are none, and then none is waited for.
    fn next_cancelled(&self, id: LaneId) -> Option<(Vec<Option<u64>>, LaneHandle)> {
        let mut state = self.lock();
        let lane = state.lane(id)?;
        lane.fencing = !lane.cancelled.is_empty();
        lane.fencing.then(|| (std::mem::take(&mut lane.cancelled), lane.handle.clone()))
    }
}

/// Waits for the cancelled commands of a lane, one PING after the other.
struct Fence {
    shared: Weak<Shared>,
    id: LaneId,
    /// The commands that are waited for.
    keys: Vec<Option<u64>>,
    is_over: bool,
}

impl Fence {
    fn new(shared: &Arc<Shared>, id: LaneId) -> Self {
        Self { shared: Arc::downgrade(shared), id, keys: Vec::new(), is_over: false }
    }

    async fn run(mut self) {
        loop {
            let Some(shared) = self.shared.upgrade() else { return };
            let Some((keys, handle)) = shared.board.next_cancelled(self.id) else {
                self.is_over = true;
                return;
            };
            self.keys = keys;
            let answered = timeout(shared.bounds.response_timeout, handle.fence()).await;
            if answered.is_err() {
                shared.board.fail(&shared, self.id);
            }
            self.release(&shared);
        }
    }

    fn release(&mut self, shared: &Arc<Shared>) {
        for key in self.keys.drain(..) {
            shared.board.release(shared, Freed::unanswered(self.id, key));
        }
    }
}

/// A runtime that ends drops what it runs: the places must not be lost with it. Nothing is proven
/// then, so the lane is not used again.
impl Drop for Fence {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let Some(shared) = self.shared.upgrade() else { return };
        shared.board.fail(&shared, self.id);
        if let Some((keys, _)) = shared.board.next_cancelled(self.id) {
            self.keys.extend(keys);
        }
        self.release(&shared);
    }
}
