//! What is known of each lane, each key and each waiting command.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::destination::Destination;
use super::link::{LaneHandle, LaneLink};
use super::place::Place;
use super::waiting::{Queue, Waiting, enqueue};
use crate::ConnectError;
use crate::pool::{Count, Generation, Permit};

/// Which lane: its place in the list, and a number that no other lane has or had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LaneId {
    pub(super) index: usize,
    pub(super) serial: u64,
}

/// Whether a lane takes commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Serving,
    /// It is to be closed. Keys with commands in flight on it wait for their answers, to keep their
    /// order.
    Draining,
    /// It gave no answer in time. Nothing holds a key to it any more.
    Failed,
}

/// What a waiting command is told: its place, or why there will be none.
pub(crate) type Verdict = Result<Place, Arc<ConnectError>>;

/// One shared connection. It is taken off the list when it takes no commands and has none in
/// flight, and dropped outside of the lock.
pub(super) struct LaneState {
    pub(super) id: LaneId,
    /// Gone when the connection was closed with commands in flight.
    pub(super) link: Option<LaneLink>,
    pub(super) handle: LaneHandle,
    /// Copies of it that commands have given back, for the next ones: to make one and to drop it
    /// costs several writes to what all threads share.
    pub(super) spare: Vec<LaneHandle>,
    pub(super) generation: Generation,
    pub(super) mode: Mode,
    pub(super) in_flight: usize,
    /// The same, for the socket.
    pub(super) shown_in_flight: Count,
    /// How many of them go to which node of a cluster, where any do.
    pub(super) by_node: Vec<(u64, usize)>,
    /// Commands whose keys have others in flight here, or older ones that wait here.
    pub(super) waiting: VecDeque<Waiting>,
    /// A command that waited was given a place and has not been sent yet. The next one is given
    /// its place after that, so that they are sent in their order whichever task runs first.
    pub(super) handing: bool,
    /// Commands that were cancelled after they were sent, and are still to be answered.
    pub(super) cancelled: Vec<Option<u64>>,
    pub(super) fencing: bool,
    /// It was idle for long, and is asked for a sign of life.
    pub(super) proving: bool,
    pub(super) idle_since: Instant,
    /// The right to a connection, given back with the lane.
    pub(super) _turn: Permit,
}

impl LaneState {
    /// How many commands to a destination are in flight.
    pub(super) fn in_flight_to(&self, to: Destination) -> usize {
        match to {
            Destination::Server => self.in_flight,
            Destination::Node(number) => {
                let node = self.by_node.iter().find(|(node, _)| *node == number);
                node.map_or(0, |(_, count)| *count)
            }
        }
    }

    /// Counts one more in flight.
    pub(super) fn enter(&mut self, to: Destination) {
        self.in_flight += 1;
        self.shown_in_flight.set(self.in_flight);
        let Destination::Node(number) = to else { return };
        match self.by_node.iter_mut().find(|(node, _)| *node == number) {
            Some((_, count)) => *count += 1,
            None => self.by_node.push((number, 1)),
        }
    }

    /// Counts one less in flight.
    pub(super) fn leave(&mut self, to: Destination) {
        self.in_flight -= 1;
        self.shown_in_flight.set(self.in_flight);
        let Destination::Node(number) = to else { return };
        let place = self.by_node.iter().position(|(node, _)| *node == number);
        let Some(place) = place else { return };
        self.by_node[place].1 -= 1;
        if self.by_node[place].1 == 0 {
            self.by_node.swap_remove(place);
        }
    }
}

/// The lane that a key's commands are on, or wait for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    lane: LaneId,
    in_flight: usize,
    waiting: usize,
}

impl Bound {
    fn new(lane: LaneId) -> Self {
        Self { lane, in_flight: 0, waiting: 0 }
    }

    fn is_over(&self) -> bool {
        self.in_flight == 0 && self.waiting == 0
    }
}

#[derive(Default)]
pub(super) struct State {
    pub(super) lanes: Vec<Option<LaneState>>,
    keys: HashMap<u64, Bound, KeyHasher>,
    /// Commands that any lane may serve.
    pub(super) queue: Queue,
    /// Commands that waited for one lane came into the queue, and no lane was asked for them yet.
    pub(super) moved: bool,
    /// Lanes that are being opened.
    pub(super) opening: usize,
    /// Lanes that are asked for a sign of life.
    pub(super) proving: usize,
    /// Those who wait for a turn to have a connection of their own.
    pub(super) turn_waiters: usize,
    /// Lanes that were let go for some of them.
    pub(super) given_way: usize,
    pub(super) tickets: u64,
    pub(super) serials: u64,
    pub(super) closed: bool,
}

impl State {
    pub(super) fn lane(&mut self, id: LaneId) -> Option<&mut LaneState> {
        self.lanes.get_mut(id.index)?.as_mut().filter(|lane| lane.id == id)
    }

    /// The lane that a key has to keep to.
    pub(super) fn bound(&mut self, key: Option<u64>) -> Option<LaneId> {
        let id = self.keys.get(&key?)?.lane;
        self.lane(id).is_some_and(|lane| lane.mode != Mode::Failed).then_some(id)
    }

    pub(super) fn bind(&mut self, key: Option<u64>, lane: LaneId) {
        let Some(key) = key else { return };
        let bound = self.keys.entry(key).or_insert(Bound::new(lane));
        if bound.lane != lane {
            *bound = Bound::new(lane);
        }
        bound.in_flight += 1;
    }

    /// Notes that a command of a key is no longer in flight. Where it was the last one and the lane
    /// takes no more, those of its key that wait there wait for any lane.
    pub(super) fn unbind(&mut self, key: Option<u64>, lane: LaneId) {
        let Some(number) = key else { return };
        let bound = self.keys.get_mut(&number).filter(|bound| bound.lane == lane);
        let Some(bound) = bound else { return };
        bound.in_flight -= 1;
        if bound.is_over() {
            self.keys.remove(&number);
        } else if bound.in_flight == 0
            && self.lane(lane).is_some_and(|lane| lane.mode != Mode::Serving)
        {
            self.let_waiting_go(lane);
        }
    }

    /// Lets a command wait for the lane that its key has to keep to.
    pub(super) fn wait_for_lane(&mut self, id: LaneId, waiting: Waiting) {
        if let Some(bound) = waiting.key.and_then(|key| self.keys.get_mut(&key)) {
            bound.waiting += 1;
        }
        if let Some(lane) = self.lane(id) {
            enqueue(&mut lane.waiting, waiting);
        }
    }

    /// Notes that a command of a key no longer waits for a lane.
    pub(super) fn waits_no_more(&mut self, key: Option<u64>, lane: LaneId) {
        let Some(key) = key else { return };
        let bound = self.keys.get_mut(&key).filter(|bound| bound.lane == lane);
        let Some(bound) = bound else { return };
        bound.waiting -= 1;
        if bound.is_over() {
            self.keys.remove(&key);
        }
    }

    /// Lets a lane take no more commands. What waits for it waits for any lane, as far as that
    /// changes no order.
    pub(super) fn end(&mut self, id: LaneId, mode: Mode) {
        if let Some(lane) = self.lane(id) {
            lane.mode = mode;
            self.let_waiting_go(id);
        }
    }

    fn let_waiting_go(&mut self, id: LaneId) {
        let Some(lane) = self.lane(id).filter(|lane| !lane.waiting.is_empty()) else { return };
        let keeps_keys = lane.mode != Mode::Failed;
        let waiting = std::mem::take(&mut lane.waiting);
        for waiting in waiting {
            let bound = waiting.key.and_then(|key| self.keys.get(&key));
            let is_held = |bound: &Bound| bound.lane == id && bound.in_flight > 0;
            if keeps_keys && bound.is_some_and(is_held) {
                if let Some(lane) = self.lane(id) {
                    lane.waiting.push_back(waiting);
                }
                continue;
            }
            self.waits_no_more(waiting.key, id);
            self.queue.push(waiting);
            self.moved = true;
        }
    }
}

/// Takes the numbers of keys as they are, for they are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct KeyHasher;

/// See [`KeyHasher`].
#[derive(Debug, Default)]
pub(crate) struct Identity(u64);

impl std::hash::BuildHasher for KeyHasher {
    type Hasher = Identity;

    fn build_hasher(&self) -> Identity {
        Identity::default()
    }
}

impl std::hash::Hasher for Identity {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
