//! Places go to those who wait, the oldest first.

use std::sync::Arc;

use super::board::Board;
use super::destination::Destination;
use super::state::{LaneId, State};
use super::waiting::Waiting;
use crate::pool::Shared;

impl Board {
    /// Gives the free places of a lane to commands that wait for it, or for any lane. Where some
    /// came to wait for any lane, all lanes are asked.
    pub(super) fn serve(&self, state: &mut State, shared: &Arc<Shared>, index: usize) {
        let mut others = Vec::new();
        let mut next = Some(index);
        while let Some(index) = next {
            self.serve_one_lane(state, shared, index, &mut others);
            if std::mem::take(&mut state.moved) {
                others.extend((0..state.lanes.len()).rev());
            }
            next = others.pop();
        }
    }

    fn serve_one_lane(
        &self,
        state: &mut State,
        shared: &Arc<Shared>,
        index: usize,
        others: &mut Vec<usize>,
    ) {
        loop {
            let State { lanes, queue, .. } = &mut *state;
            let Some(lane) = lanes.get(index).and_then(Option::as_ref) else { return };
            if lane.handing {
                return;
            }
            let id = lane.id;
            // Those who gave up are passed over here.
            let common = queue.oldest(|to| self.has_place(lane, to));
            let has_place = self.has_place(lane, Destination::Server);
            let own = if has_place { oldest_of_lane(state, id) } else { None };
            let from_common = match (own, common) {
                (Some(own), Some((common, to))) => (common < own).then_some(to),
                (None, Some((_, to))) => Some(to),
                (Some(_), None) => None,
                (None, None) => return,
            };
            let Some(to) = from_common else {
                let own = state.lane(id).and_then(|lane| lane.waiting.pop_front());
                if let Some(waiting) = own {
                    let key = waiting.key;
                    self.grant(state, shared, id, waiting);
                    state.waits_no_more(key, id);
                }
                continue;
            };
            let Some(waiting) = state.queue.pop(to) else { return };
            match state.bound(waiting.key).filter(|bound| *bound != id) {
                None => self.grant(state, shared, id, waiting),
                // An older command of its key has come to be in flight elsewhere.
                Some(bound) => {
                    state.wait_for_lane(bound, waiting);
                    others.push(bound.index);
                }
            }
        }
    }

    fn grant(&self, state: &mut State, shared: &Arc<Shared>, id: LaneId, waiting: Waiting) {
        let Waiting { key, to, verdict, .. } = waiting;
        // In a cluster the next one need not wait until this one is sent.
        let handed = to == Destination::Server;
        let Some(place) = self.occupy(state, shared, id, key, to, handed) else { return };
        if let Err(Ok(place)) = verdict.send(Ok(place)) {
            // The caller gave up at this very moment.
            place.disarm();
            if let Some(lane) = state.lane(id) {
                lane.handing = false;
            }
            // The lane serves, so nothing is taken off the list.
            let ended = self.vacate(state, id, key, to);
            debug_assert!(ended.is_none(), "a lane that serves stays");
        }
    }
}

/// The ticket of the oldest command that is still waited for, among those that wait for one lane.
fn oldest_of_lane(state: &mut State, id: LaneId) -> Option<u64> {
    loop {
        let waiting = &mut state.lane(id)?.waiting;
        let oldest = waiting.front()?;
        if !oldest.verdict.is_closed() {
            return Some(oldest.ticket);
        }
        let key = oldest.key;
        waiting.pop_front();
        state.waits_no_more(key, id);
    }
}
