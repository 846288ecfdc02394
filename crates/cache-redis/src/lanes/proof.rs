//! A lane that was idle for long shows that it works before it is used.
//!
//! Otherwise a connection that the network has forgotten would cost its first commands their whole
//! time-out, and what became of them would not be known.

use std::sync::{Arc, Weak};

use tokio::runtime::Handle;
use tokio::time::Instant;

use super::board::Board;
use super::giving_way::give_way;
use super::link::LaneHandle;
use super::state::{LaneId, LaneState, Mode, State};
use crate::connection::LinkHandle;
use crate::metrics::Reaped;
use crate::pool::{Generation, Shared};

/// A lane that is asked for a sign of life, until it has given one or is found to be dead. Those who
/// come meanwhile wait.
pub(super) struct Proof {
    shared: Weak<Shared>,
    id: LaneId,
    handle: LinkHandle,
    generation: Generation,
    runtime: Handle,
    is_proven: bool,
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
        let shared = Arc::downgrade(shared);
        Some(Proof { shared, id, handle, generation, runtime, is_proven: false })
    }

    fn has(&self, id: LaneId) -> bool {
        self.lock().lane(id).is_some()
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
            let mut proof = self;
            let Some(shared) = proof.shared.upgrade() else { return };
            proof.is_proven = shared.gives_sign(proof.handle.clone()).await;
            // One that the pool has closed meanwhile says nothing of the others.
            if !proof.is_proven && shared.board.has(proof.id) {
                shared.observe_failure(proof.generation);
            }
        });
    }
}

impl Proof {
    /// Lets the lane be used, or takes it off the list. It has nothing in flight.
    fn end(&self, board: &Board, state: &mut State) -> Option<LaneState> {
        let lane = state.lane(self.id)?;
        lane.proving = false;
        if self.is_proven && lane.mode == Mode::Serving {
            lane.idle_since = Instant::now();
            return None;
        }
        board.remove(state, self.id)
    }
}

impl Drop for Proof {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let board = &shared.board;
        let (ended, opening, room) = {
            let mut state = board.lock();
            state.proving -= 1;
            let ended = self.end(board, &mut state);
            board.serve(&mut state, &shared, self.id.index);
            let opening = board.open_if_needed(&mut state, &shared);
            // Somebody may have come to wait for a turn while the lane was not idle.
            (ended, opening, give_way(board, &mut state, shared.size()))
        };
        if let Some(opening) = opening {
            opening.start();
        }
        if let Some(room) = room {
            room.leave(&shared);
        }
        if ended.is_some() {
            shared.meters.reaped(Reaped::Stale, 1);
        }
    }
}
