//! A lane that was idle for long shows that it works before it is used.
//!
//! Otherwise a connection that the network has forgotten would cost its first commands their whole
//! time-out, and what became of them would not be known.

use std::sync::{Arc, Weak};

use tokio::runtime::Handle;

use super::board::Board;
use super::link::LaneHandle;
use super::state::{LaneId, State};
use crate::connection::LinkHandle;
use crate::pool::{Generation, Shared};

/// A lane that is asked for a sign of life, until it has given one or is found to be dead. Those who
/// come meanwhile wait.
pub(super) struct Proof {
    shared: Weak<Shared>,
    id: LaneId,
    handle: LinkHandle,
    generation: Generation,
    runtime: Handle,
}

impl Board {
    /// Lets a lane take no command before it is proven. The proof is to be [started](Proof::start)
    /// outside of the lock; nothing where there is no way to give one.
    pub(super) fn prove(state: &mut State, shared: &Arc<Shared>, id: LaneId) -> Option<Proof> {
        let runtime = Handle::try_current().ok()?;
        let lane = state.lane(id)?;
        let LaneHandle::One(handle) = lane.handle.clone() else { return None };
        let generation = lane.generation;
        lane.proving = true;
        state.proving += 1;
        Some(Proof { shared: Arc::downgrade(shared), id, handle, generation, runtime })
    }

    /// Whether a lane has to show that it works.
    pub(crate) fn is_proving(&self) -> bool {
        self.lock().proving > 0
    }
}

impl Proof {
    /// Asks in the background. A runtime that ends drops it at once, so no lock may be held here.
    pub(super) fn start(self) {
        let runtime = self.runtime.clone();
        runtime.spawn(async move {
            let proof = self;
            let Some(shared) = proof.shared.upgrade() else { return };
            shared.prove(proof.generation, proof.handle.clone().fence()).await;
        });
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let opening = {
            let mut state = shared.board.lock();
            state.proving -= 1;
            if let Some(lane) = state.lane(self.id) {
                lane.proving = false;
                lane.idle_since = tokio::time::Instant::now();
            }
            shared.board.serve(&mut state, &shared, self.id.index);
            shared.board.open_if_needed(&mut state, &shared)
        };
        if let Some(opening) = opening {
            opening.start();
        }
    }
}
