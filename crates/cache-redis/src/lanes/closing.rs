//! Lanes that serve no more.

use std::sync::Arc;
use std::time::Duration;

use super::board::{Board, subtract};
use super::link::LaneLink;
use super::state::{LaneId, LaneState, Mode, State};
use crate::metrics::Reaped;
use crate::pool::{Generation, Shared};

impl Board {
    /// Takes a lane off the list; those who wait for it wait for any lane.
    pub(super) fn remove(&self, state: &mut State, id: LaneId) -> Option<LaneState> {
        state.end(id, Mode::Failed);
        state.lane(id)?;
        let lane = state.lanes[id.index].take()?;
        subtract(&self.lanes, 1);
        if lane.in_flight > 0 {
            self.rest();
            subtract(&self.in_flight, lane.in_flight);
        }
        Some(lane)
    }

    /// Lets a lane take no more commands, and takes it off the list if it has none in flight.
    fn drain(&self, state: &mut State, id: LaneId) -> Option<LaneState> {
        state.end(id, Mode::Draining);
        if state.lane(id)?.in_flight > 0 { None } else { self.remove(state, id) }
    }

    /// Lets no new command onto a lane that failed to answer in time.
    pub(super) fn fail(&self, shared: &Arc<Shared>, id: LaneId) {
        let opening = {
            let mut state = self.lock();
            if state.lane(id).is_some_and(|lane| lane.mode == Mode::Serving) {
                shared.meters.reaped(Reaped::Stale, 1);
            }
            state.end(id, Mode::Failed);
            self.serve(&mut state, shared, id.index);
            self.open_if_needed(&mut state, shared)
        };
        if let Some(opening) = opening {
            opening.start();
        }
    }

    /// Lets no new command onto lanes of older generations, and returns how many there are. What is
    /// in flight there may still be executed, so its keys wait for that. Those who wait for any lane now are served by
    /// [`reopen_lanes`](Shared::reopen_lanes).
    pub(crate) fn retire_older(&self, current: Generation) -> usize {
        let is_older = |lane: &LaneState| lane.generation < current;
        let mut ended = Vec::new();
        let mut state = self.lock();
        let ids = ids(&state, |lane| is_older(lane) && lane.mode == Mode::Serving);
        for id in &ids {
            ended.extend(self.drain(&mut state, *id));
        }
        drop(state);
        ids.len()
    }

    /// Closes the connections of lanes of older generations, whatever is in flight on them.
    pub(crate) fn cut_older(&self, current: Generation) {
        let mut links = Vec::new();
        {
            let mut state = self.lock();
            for lane in state.lanes.iter_mut().flatten() {
                if lane.generation < current {
                    links.extend(lane.link.take());
                }
            }
        }
        drop(links);
    }

    /// Closes a lane that nobody uses.
    fn close_one_idle(&self) -> bool {
        let mut state = self.lock();
        let idle = state.lanes.iter().flatten().rev().find(|lane| is_idle(lane));
        let Some(id) = idle.map(|lane| lane.id) else { return false };
        let ended = self.remove(&mut state, id);
        drop(state);
        ended.is_some()
    }

    /// Closes up to so many idle lanes, the last opened first, and returns how many.
    pub(crate) fn close_idle(&self, most: usize) -> usize {
        (0..most).take_while(|_| self.close_one_idle()).count()
    }

    /// Closes lanes that have been idle for so long, up to a number.
    pub(crate) fn close_idle_for(&self, time: Duration, most: usize) -> usize {
        let expired = |lane: &LaneState| is_idle(lane) && lane.idle_since.elapsed() >= time;
        let mut ended = Vec::new();
        let mut state = self.lock();
        for id in ids(&state, expired).into_iter().rev().take(most) {
            ended.extend(self.remove(&mut state, id));
        }
        drop(state);
        ended.len()
    }

    /// Closes lanes of a cluster that have been idle for so long and have no connections.
    pub(crate) fn close_bare(&self, time: Duration) {
        let is_bare = |lane: &LaneState| {
            is_idle(lane) && lane.handle.is_bare() && lane.idle_since.elapsed() >= time
        };
        let mut ended = Vec::new();
        let mut state = self.lock();
        for id in ids(&state, is_bare) {
            ended.extend(self.remove(&mut state, id));
        }
        drop(state);
    }

    /// Closes idle lanes, the last opened first, lets others take no more commands until no more
    /// lanes than a number stay, and returns how many those are together. Those who wait for any lane now are served by
    /// [`reopen_lanes`](Shared::reopen_lanes).
    pub(crate) fn shrink(&self, idle: usize, most: usize) -> usize {
        let closed = self.close_idle(idle);
        let mut ended = Vec::new();
        let mut state = self.lock();
        let serving = ids(&state, |lane| lane.mode == Mode::Serving);
        let over = serving.get(most..).unwrap_or_default();
        for id in over {
            ended.extend(self.drain(&mut state, *id));
        }
        drop(state);
        closed + over.len()
    }

    /// Closes lanes of an age as soon as their commands are answered, and returns how many. Those
    /// who wait for any lane now are served by [`reopen_lanes`](Shared::reopen_lanes).
    pub(crate) fn close_aged(&self, age: Duration) -> usize {
        let aged = |lane: &LaneState| {
            let born = lane.link.as_ref().and_then(LaneLink::born);
            lane.mode == Mode::Serving && born.is_some_and(|born| born.elapsed() >= age)
        };
        let mut ended = Vec::new();
        let mut state = self.lock();
        let ids = ids(&state, aged);
        for id in &ids {
            ended.extend(self.drain(&mut state, *id));
        }
        drop(state);
        ids.len()
    }

    /// Refuses all commands that have not been sent, and closes each lane when its last command is
    /// answered.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let mut waiting: Vec<_> = state.queue.drain().collect();
        let mut ended = Vec::new();
        for id in ids(&state, |_| true) {
            if let Some(lane) = state.lane(id) {
                lane.mode = Mode::Draining;
                waiting.extend(lane.waiting.drain(..));
                if lane.in_flight == 0 {
                    ended.extend(self.remove(&mut state, id));
                }
            }
        }
        drop(state);
        // Dropping what they wait for tells them.
        drop((waiting, ended));
    }

    /// Closes all lanes at once.
    pub(crate) fn cut_all(&self) {
        let lanes: Vec<_> = {
            let mut state = self.lock();
            let ids = ids(&state, |_| true);
            ids.into_iter().filter_map(|id| self.remove(&mut state, id)).collect()
        };
        drop(lanes);
    }
}

fn ids(state: &State, chosen: impl Fn(&LaneState) -> bool) -> Vec<LaneId> {
    state.lanes.iter().flatten().filter(|lane| chosen(lane)).map(|lane| lane.id).collect()
}

pub(super) fn is_idle(lane: &LaneState) -> bool {
    lane.mode == Mode::Serving && lane.in_flight == 0 && lane.waiting.is_empty() && !lane.proving
}

/// Kept apart from the board, since the end of a lane is told to the pool outside of its lock.
impl Shared {
    pub(crate) fn lane_ended(&self) {
        if self.is_closed() {
            self.drained.notify_waiters();
        }
    }

    /// Gives places to those who waited for a lane that takes no more commands.
    pub(crate) fn reopen_lanes(self: &Arc<Self>) {
        let opening = {
            let mut state = self.board.lock();
            for index in 0..state.lanes.len() {
                self.board.serve(&mut state, self, index);
            }
            self.board.open_if_needed(&mut state, self)
        };
        if let Some(opening) = opening {
            opening.start();
        }
    }
}
