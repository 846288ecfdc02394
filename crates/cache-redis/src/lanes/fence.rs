//! Commands that were cancelled after they were sent.
//!
//! The server answers them all the same. Until then their keys have to keep to their lane, or a
//! later command could overtake one that is still on its way. Answers come in the order of the
//! commands, so a PING that is answered proves that everything sent before it is.

use std::sync::{Arc, Weak};

use tokio::runtime::Handle;
use tokio::time::timeout;

use super::board::Board;
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
                    runtime.spawn(fence(Arc::downgrade(shared), id));
                }
                return;
            }
        }
        // Without a runtime nothing can be proven, so the lane is not used again.
        self.fail(shared, id);
        self.release(shared, id, key, false, None);
    }
}

async fn fence(pool: Weak<Shared>, id: LaneId) {
    loop {
        let Some(shared) = pool.upgrade() else { return };
        let (batch, handle) = {
            let mut state = shared.board.lock();
            let Some(lane) = state.lane(id) else { return };
            if lane.cancelled.is_empty() {
                lane.fencing = false;
                return;
            }
            (std::mem::take(&mut lane.cancelled), lane.handle.clone())
        };
        let answered = timeout(shared.bounds.response_timeout, handle.fence()).await;
        if answered.is_err() {
            shared.board.fail(&shared, id);
        }
        for key in batch {
            shared.board.release(&shared, id, key, false, None);
        }
    }
}
