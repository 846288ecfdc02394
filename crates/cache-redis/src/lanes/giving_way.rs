//! Lanes give way to those who wait for a connection of their own.
//!
//! A lane keeps its turn for as long as it is open, so without this a pool whose turns are all lanes
//! would have none for anybody else.

use super::board::Board;
use super::closing::is_idle;
use super::state::{LaneState, Mode, State};
use crate::metrics::Reaped;
use crate::pool::Shared;

/// What has been done for somebody who waits for a turn: a lane that was closed for it, or nothing
/// to drop where one is draining.
#[must_use = "it is to be dropped outside of the lock"]
pub(super) struct Room {
    lane: Option<Box<LaneState>>,
    /// Whether some who waited for it wait for any lane now.
    has_moved: bool,
}

impl Room {
    /// Lets the turn go. No lock may be held here.
    pub(super) fn leave(self, shared: &Shared) {
        shared.meters.reaped(Reaped::MadeRoom, 1);
        drop(self.lane);
        if self.has_moved
            && let Some(pool) = shared.weak().upgrade()
        {
            pool.reopen_lanes();
        }
    }
}

/// Somebody who waits for a turn. Lanes give way as long as there are more of them than lanes that
/// have done so.
pub(crate) struct TurnWaiter<'a>(&'a Board);

impl Board {
    /// Counts one who waits for a turn, and makes room at once where that is possible. It has to be
    /// in the queue for turns already, or somebody else could take what it makes.
    pub(crate) fn wait_for_turn<'a>(&'a self, shared: &Shared) -> TurnWaiter<'a> {
        let room = {
            let mut state = self.lock();
            state.turn_waiters += 1;
            give_way(self, &mut state, shared.size())
        };
        if let Some(room) = room {
            room.leave(shared);
        }
        TurnWaiter(self)
    }
}

impl Drop for TurnWaiter<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.turn_waiters -= 1;
        state.given_way = state.given_way.saturating_sub(1).min(state.turn_waiters);
    }
}

/// Lets one lane go if somebody waits for whom none has gone yet.
///
/// An idle one goes at once. A busy one drains, the one with the least to do, but only while lanes
/// have more than half of the turns: below that the others are shared among those who wait, and
/// lanes need not come and go with them.
pub(super) fn give_way(board: &Board, state: &mut State, size: usize) -> Option<Room> {
    if state.turn_waiters <= state.given_way {
        return None;
    }
    let idle = state.lanes.iter().flatten().rev().find(|lane| is_idle(lane)).map(|lane| lane.id);
    if let Some(id) = idle {
        let lane = board.remove(state, id)?;
        state.given_way += 1;
        return Some(Room { lane: Some(Box::new(lane)), has_moved: false });
    }
    let serving = || state.lanes.iter().flatten().filter(|lane| lane.mode == Mode::Serving);
    if serving().count() <= size / 2 {
        return None;
    }
    // For one that shows that it works somebody waits already.
    let id = serving().filter(|lane| !lane.proving).min_by_key(|lane| lane.in_flight)?.id;
    state.end(id, Mode::Draining);
    state.given_way += 1;
    Some(Room { lane: None, has_moved: state.moved })
}
