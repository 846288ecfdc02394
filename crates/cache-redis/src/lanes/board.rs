//! Commands find their lanes here.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::closing::is_idle;
use super::destination::Destination;
use super::giving_way::give_way;
use super::link::LaneHandle;
use super::place::{Place, Stage};
use super::state::{LaneId, LaneState, Mode, State, Verdict};
use super::waiting::Waiting;
use crate::metrics::Times;
use crate::pool::{LONG_IDLE, Level, Shared};

/// All lanes of a pool, and the commands that wait for a place on one.
///
/// One lock guards them. It is held for a few hundred nanoseconds, never across an await, and
/// nothing is dropped under it that could take it again.
pub(crate) struct Board {
    pub(super) depth: usize,
    state: Mutex<State>,
    /// Counts for those who need no more than a glance.
    pub(super) lanes: AtomicUsize,
    pub(super) busy: AtomicUsize,
    pub(super) in_flight: AtomicUsize,
    /// Commands that found a place at once.
    immediate: AtomicU64,
    answers: AtomicU64,
    /// From the call of a command to its answer. It is filled under the lock.
    pub(crate) operations: Times,
    /// Busy lanes among the sockets of the pool that are active.
    active: Arc<Level>,
}

/// A place that nobody needs any more.
pub(super) struct Freed {
    pub(super) lane: LaneId,
    pub(super) key: Option<u64>,
    pub(super) to: Destination,
    /// Whether the next one waits for what was not sent.
    pub(super) handed: bool,
    /// How long the answer took; nothing where there is none that counts.
    pub(super) answered: Option<Duration>,
    /// What the command was sent with, if it is given back.
    pub(super) handle: Option<LaneHandle>,
}

impl Freed {
    /// The place of a command to the server that was sent, and whose answer nobody waits for.
    pub(super) fn unanswered(lane: LaneId, key: Option<u64>) -> Self {
        Self { lane, key, to: Destination::Server, handed: false, answered: None, handle: None }
    }
}

/// How a command begins.
pub(crate) enum Start {
    /// It can be sent.
    Go(Place),
    /// It waits for its turn.
    Wait(oneshot::Receiver<Verdict>),
    /// The pool is closed.
    Closed,
}

impl Board {
    pub(crate) fn new(depth: usize, active: Arc<Level>) -> Self {
        Self {
            depth,
            state: Mutex::default(),
            lanes: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            immediate: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            operations: Times::new(),
            active,
        }
    }

    /// Gives a command a place, or lets it wait for one.
    ///
    /// A key that has a command on a lane, or waiting for it, keeps to that lane. Any other command
    /// goes to the first lane with a place, so that a small load uses few of them. Where that was
    /// idle for long it has to show first that it works.
    ///
    /// In a cluster a key is nothing to a lane: its commands wait for each other before that.
    pub(crate) fn begin(
        &self,
        shared: &Arc<Shared>,
        key: Option<u64>,
        to: Destination,
        now: Instant,
    ) -> Start {
        let mut state = self.lock();
        if state.closed {
            return Start::Closed;
        }
        let lane = match state.bound(key) {
            Some(id) => {
                let Some(lane) = state.lane(id) else { return Start::Closed };
                if !self.has_place(lane, to) || lane.handing || !lane.waiting.is_empty() {
                    let (waiting, receiver) = ticket(&mut state, key, to);
                    state.wait_for_lane(id, waiting);
                    return Start::Wait(receiver);
                }
                Some(id)
            }
            None if state.queue.is_empty(to) => {
                let free = |lane: &&LaneState| self.has_place(lane, to) && lane.waiting.is_empty();
                state.lanes.iter().flatten().find(free).map(|lane| lane.id)
            }
            None => None,
        };
        if let Some(id) = lane
            && state
                .lane(id)
                .is_some_and(|lane| is_idle(lane) && now - lane.idle_since >= LONG_IDLE)
            && let Some(proof) = Self::prove(&mut state, shared, id)
        {
            let (waiting, receiver) = ticket(&mut state, key, to);
            state.queue.push(waiting);
            drop(state);
            proof.start();
            return Start::Wait(receiver);
        }
        if let Some(id) = lane
            && let Some(place) = self.occupy(&mut state, shared, id, key, to, false)
        {
            // In a cluster the command tells of its whole wait.
            if shared.cluster().is_none() {
                count(&self.immediate);
            }
            return Start::Go(place);
        }
        let (waiting, receiver) = ticket(&mut state, key, to);
        state.queue.push(waiting);
        let opening = self.open_if_needed(&mut state, shared);
        drop(state);
        if let Some(opening) = opening {
            opening.start();
        }
        Start::Wait(receiver)
    }

    /// Frees a place, and gives it to the one who has waited longest.
    pub(super) fn release(&self, shared: &Arc<Shared>, freed: Freed) {
        let Freed { lane: id, key, to, handed, answered, mut handle } = freed;
        let (ended, opening, room) = {
            let mut state = self.lock();
            if let Some(time) = answered {
                self.count_answer(time);
            }
            if let Some(lane) = state.lane(id) {
                lane.handing &= !handed;
                lane.spare.extend(handle.take());
            }
            let ended = self.vacate(&mut state, id, key, to);
            let is_more_needed = ended.is_some() || state.moved;
            self.serve(&mut state, shared, id.index);
            let opening =
                if is_more_needed { self.open_if_needed(&mut state, shared) } else { None };
            (ended, opening, give_way(self, &mut state, shared.size()))
        };
        if let Some(opening) = opening {
            opening.start();
        }
        if let Some(room) = room {
            room.leave(shared);
        }
        if ended.is_some() {
            shared.lane_ended();
        }
    }

    /// Gives the next place of a lane, since the command that was given the last one is sent.
    pub(super) fn hand_over_next(&self, shared: &Arc<Shared>, id: LaneId) {
        let mut state = self.lock();
        if let Some(lane) = state.lane(id) {
            lane.handing = false;
        }
        self.serve(&mut state, shared, id.index);
    }

    pub(crate) fn lanes(&self) -> usize {
        self.lanes.load(Ordering::Relaxed)
    }

    /// The same with those that are being opened.
    pub(super) fn lanes_to_be(&self) -> usize {
        self.lanes() + self.lock().opening
    }

    /// Lanes without a command in flight.
    pub(crate) fn idle_lanes(&self) -> usize {
        self.lanes().saturating_sub(self.busy.load(Ordering::Relaxed))
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Notes an answer where it does not free a place.
    pub(crate) fn answered(&self, time: Duration) {
        let _state = self.lock();
        self.count_answer(time);
    }

    /// The lock must be held.
    fn count_answer(&self, time: Duration) {
        count(&self.answers);
        self.operations.record_alone(time);
    }

    /// Commands that found a place at once.
    pub(crate) fn immediate(&self) -> u64 {
        self.immediate.load(Ordering::Relaxed)
    }

    /// How many answers have come on lanes.
    pub(crate) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_place(&self, lane: &LaneState, to: Destination) -> bool {
        lane.mode == Mode::Serving && lane.in_flight_to(to) < self.depth && !lane.proving
    }

    /// Takes a place of a lane.
    pub(super) fn occupy(
        &self,
        state: &mut State,
        shared: &Arc<Shared>,
        id: LaneId,
        key: Option<u64>,
        to: Destination,
        handed: bool,
    ) -> Option<Place> {
        let lane = state.lane(id)?;
        if lane.in_flight == 0 {
            add(&self.busy, 1);
            self.active.rise();
        }
        lane.enter(to);
        add(&self.in_flight, 1);
        lane.handing |= handed;
        let place = Place {
            shared: Arc::clone(shared),
            lane: id,
            key,
            to,
            generation: lane.generation,
            handle: Some(lane.spare.pop().unwrap_or_else(|| lane.handle.clone())),
            stage: Stage::Given { handed },
        };
        state.bind(key, id);
        Some(place)
    }

    /// Leaves a place of a lane. A lane that was only kept for it is taken off the list, and is
    /// returned so that it is dropped outside of the lock.
    pub(super) fn vacate(
        &self,
        state: &mut State,
        id: LaneId,
        key: Option<u64>,
        to: Destination,
    ) -> Option<LaneState> {
        state.unbind(key, id);
        let lane = state.lane(id)?;
        lane.leave(to);
        subtract(&self.in_flight, 1);
        if lane.in_flight > 0 {
            return None;
        }
        self.rest();
        lane.idle_since = Instant::now();
        if lane.mode == Mode::Serving { None } else { self.remove(state, id) }
    }

    /// Notes that a lane has no more in flight.
    pub(super) fn rest(&self) {
        subtract(&self.busy, 1);
        self.active.fall();
    }
}

/// Adds to a count that only changes under the lock, which is cheaper than an atomic addition.
pub(super) fn add(count: &AtomicUsize, number: usize) {
    count.store(count.load(Ordering::Relaxed) + number, Ordering::Relaxed);
}

/// Counts one more where that is only done under the lock.
fn count(number: &AtomicU64) {
    number.store(number.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// Subtracts from a count that only changes under the lock.
pub(super) fn subtract(count: &AtomicUsize, number: usize) {
    count.store(count.load(Ordering::Relaxed) - number, Ordering::Relaxed);
}

/// A command in the order of coming, and where it hears of its place.
fn ticket(
    state: &mut State,
    key: Option<u64>,
    to: Destination,
) -> (Waiting, oneshot::Receiver<Verdict>) {
    let (verdict, receiver) = oneshot::channel();
    let ticket = state.tickets;
    state.tickets += 1;
    (Waiting { ticket, key, to, verdict }, receiver)
}
