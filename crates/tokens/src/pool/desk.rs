//! What the workers share: the lines, the flights, and what each worker has in hand.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{CountError, Framing, TextCount};

use super::aftermath::{Aftermath, Failure, Settlement};
use super::deliver::Owed;
use super::flights::{Flight, FlightId, Flights, InParts, Stage, add, begin};
use super::flows::{Flow, Flows};
use super::hand::Hands;
use super::job::{Queued, Work};
use super::parts::Part;

/// Most results of one conversation that are delivered together.
const BATCH: usize = 64;

/// So many entries may stand for nothing before they are looked for.
const SLACK: usize = 64;

/// What a worker is to count.
pub(super) struct Task {
    pub(super) id: FlightId,
    pub(super) flow: Flow,
    pub(super) work: Work,
    pub(super) what: What,
}

pub(super) enum What {
    Whole,
    /// Whole, unless it can be cut.
    Long,
    Part(Arc<[Part]>, usize),
}

/// What has come of the jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ended {
    /// They were counted, or failed to be.
    pub(super) counted: u64,
    /// They were given up.
    pub(super) given_up: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// Workers take what is there, and leave when nothing is.
    Draining,
    /// What nobody had begun with was given up, and nothing is taken in.
    Closed,
}

pub(super) struct Desk {
    pub(super) phase: Phase,
    /// Workers that take part: those that are replaced are not among them.
    pub(super) workers: usize,
    pub(super) hands: Hands,
    pub(super) ended: Ended,
    /// Whether results of one conversation may wait for each other.
    pub(super) batches: bool,
    /// Jobs on the way from the intake; empty whenever the lock is free.
    pub(super) arrived: VecDeque<Queued>,
    flights: Flights,
    flows: Flows,
}

impl Desk {
    pub(super) fn new(workers: usize, batches: bool, capacity: usize, framing: Framing) -> Self {
        Self {
            phase: Phase::Open,
            workers,
            hands: Hands::new(workers),
            ended: Ended::default(),
            batches,
            arrived: VecDeque::with_capacity(capacity),
            flights: Flights::new(framing),
            flows: Flows::default(),
        }
    }

    /// Puts what has arrived where it belongs.
    pub(super) fn sort_in(&mut self, now: Instant, aftermath: &mut Aftermath) {
        while let Some(Queued { work, owed }) = self.arrived.pop_front() {
            self.add(work, owed, now, aftermath);
        }
        if self.flows.entries() > 2 * self.flights.len() + SLACK {
            let flights = &self.flights;
            self.flows.retain(|id| flights.get(id).and_then(Flight::offer).is_some());
        }
    }

    /// Takes up the next task for a worker.
    pub(super) fn next(
        &mut self,
        worker: usize,
        now: Instant,
        aftermath: &mut Aftermath,
    ) -> Option<Task> {
        loop {
            let flights = &self.flights;
            let next = self.flows.next(|id| flights.get(id).and_then(Flight::offer));
            let (flow, id) = next?;
            let Some(flight) = self.flights.get_mut(id) else { continue };
            let has_begun = flight.has_begun();
            for owed in flight.jobs.extract_if(.., |owed| owed.is_abandoned()) {
                *in_hand(has_begun, aftermath) += 1;
                aftermath.abandoned.push(owed);
            }
            if flight.jobs.is_empty() {
                self.flights.remove(id);
                continue;
            }
            let (what, bytes) = if let Stage::InParts(in_parts) = &mut flight.stage {
                let index = in_parts.next;
                in_parts.next += 1;
                let bytes = in_parts.parts.get(index).map_or(0, |part| part.bytes);
                (What::Part(Arc::clone(&in_parts.parts), index), bytes)
            } else {
                let what = if flight.is_long() { What::Long } else { What::Whole };
                flight.stage = Stage::Counting;
                begin(&mut flight.jobs, now);
                let jobs = flight.jobs.len() as u64;
                aftermath.moves.left_queue += jobs;
                aftermath.moves.begun += jobs;
                (what, flight.bytes)
            };
            flight.running += 1;
            let work = flight.work.clone();
            self.hands.take_up(worker, Some((id, flow)), bytes, now, aftermath);
            return Some(Task { id, flow, work, what });
        }
    }

    /// Offers the parts of what a worker has in hand to the others; it has the first itself.
    ///
    /// Says whether they are to be counted: meanwhile the job may have been given up.
    pub(super) fn offer(
        &mut self,
        task: &Task,
        parts: &Arc<[Part]>,
        aftermath: &mut Aftermath,
    ) -> bool {
        let Some(flight) = self.flights.get_mut(task.id) else { return false };
        if matches!(flight.stage, Stage::Hung { .. }) {
            return false;
        }
        if self.phase == Phase::Closed {
            self.give_up(task.id, aftermath);
            return false;
        }
        let (parts, sum) = (Arc::clone(parts), TextCount::from(0_u64));
        flight.stage = Stage::InParts(InParts { parts, next: 1, sum });
        self.flows.push_front(task.flow, task.id);
        true
    }

    /// Notes what came of a task, and settles its jobs where it was the last that they wait for.
    pub(super) fn finish(
        &mut self,
        worker: usize,
        task: &Task,
        result: Result<TextCount, CountError>,
        elapsed: Duration,
        aftermath: &mut Aftermath,
    ) {
        let mut settled = self.conclude(task, result, elapsed, aftermath);
        if let Some(settlement) = &mut settled {
            settlement.worker = Some(worker);
        }
        let together = self.batches
            && task.flow.conversation.is_some()
            && self.flows.is_turn_of(task.flow)
            && self.phase == Phase::Open;
        self.hands.put_down(worker, settled, together.then_some(BATCH), aftermath);
    }

    /// Takes away everything that nobody has begun with.
    pub(super) fn close(&mut self, aftermath: &mut Aftermath) {
        self.phase = Phase::Closed;
        for Queued { work: _, owed } in std::mem::take(&mut self.arrived) {
            aftermath.moves.left_queue += 1;
            self.ended.given_up += 1;
            aftermath.given_up.push(owed);
        }
        for id in self.flights.ids(|flight| !matches!(flight.stage, Stage::Counting)) {
            self.give_up(id, aftermath);
        }
    }

    /// Takes away what workers have in hand, and hands out what they have counted.
    pub(super) fn empty_hands(&mut self, aftermath: &mut Aftermath) {
        for id in self.flights.ids(|_| true) {
            self.give_up(id, aftermath);
        }
        self.hands.flush_all(aftermath);
    }

    /// Answers for a flight whose count does not end; it stays for texts that are alike. Returns a
    /// conversation that waited for it.
    pub(super) fn answer_hung(
        &mut self,
        id: FlightId,
        after: Duration,
        aftermath: &mut Aftermath,
    ) -> Option<u64> {
        let flight = self.flights.get_mut(id)?;
        flight.stage = Stage::Hung { after };
        let jobs = std::mem::take(&mut flight.jobs);
        let conversation = jobs.iter().find_map(Owed::conversation);
        aftermath.moves.ended += jobs.len() as u64;
        self.ended.counted += jobs.len() as u64;
        let (work, elapsed) = (flight.work.clone(), Duration::ZERO);
        let result = Err(Failure::Hung { after });
        aftermath.settled.push(Settlement { work, jobs, result, elapsed, worker: None });
        conversation
    }

    fn add(&mut self, work: Work, mut owed: Owed, now: Instant, aftermath: &mut Aftermath) {
        let conversation = owed.conversation();
        let fingerprint = self.flights.fingerprint(&work);
        let id = match self.flights.alike(&work, fingerprint) {
            None => self.flights.add(work, fingerprint, vec![owed]),
            Some((id, flight)) => match flight.stage {
                Stage::Waiting => {
                    // It stands in the line of its own conversation too, and waits for no other's.
                    flight.jobs.push(owed);
                    id
                }
                Stage::Counting | Stage::InParts(_) => {
                    owed.begin(now);
                    aftermath.moves.left_queue += 1;
                    aftermath.moves.begun += 1;
                    flight.jobs.push(owed);
                    return;
                }
                Stage::Hung { after } => {
                    aftermath.moves.left_queue += 1;
                    self.ended.counted += 1;
                    let (jobs, elapsed) = (vec![owed], Duration::ZERO);
                    let result = Err(Failure::Hung { after });
                    aftermath.settled.push(Settlement {
                        work,
                        jobs,
                        result,
                        elapsed,
                        worker: None,
                    });
                    return;
                }
            },
        };
        let is_long = self.flights.get(id).is_some_and(Flight::is_long);
        self.flows.push_back(Flow { conversation, is_long }, id);
    }

    fn conclude(
        &mut self,
        task: &Task,
        result: Result<TextCount, CountError>,
        elapsed: Duration,
        aftermath: &mut Aftermath,
    ) -> Option<Settlement> {
        let flight = self.flights.get_mut(task.id)?;
        flight.running -= 1;
        flight.elapsed += elapsed;
        if let Stage::Hung { .. } = flight.stage {
            if flight.running == 0 {
                self.flights.remove(task.id);
            }
            return None;
        }
        let sum = match result {
            Ok(sum) => sum,
            Err(error) => return self.fail(task, error, aftermath),
        };
        let sum = match &mut flight.stage {
            Stage::InParts(in_parts) => {
                add(&mut in_parts.sum, sum);
                if in_parts.next < in_parts.parts.len() || flight.running > 0 {
                    return None;
                }
                in_parts.sum
            }
            _ => sum,
        };
        let Flight { work, jobs, elapsed, .. } = self.flights.remove(task.id)?;
        self.ended.counted += jobs.len() as u64;
        aftermath.moves.ended += jobs.len() as u64;
        Some(Settlement { work, jobs, result: Ok(sum), elapsed, worker: None })
    }

    /// One job gets the error; those that only shared the count wait for another one.
    fn fail(
        &mut self,
        task: &Task,
        error: CountError,
        aftermath: &mut Aftermath,
    ) -> Option<Settlement> {
        let Flight { work, mut jobs, elapsed, .. } = self.flights.remove(task.id)?;
        aftermath.moves.ended += jobs.len() as u64;
        let others = jobs.split_off(1.min(jobs.len()));
        self.ended.counted += jobs.len() as u64;
        if self.phase == Phase::Closed {
            self.ended.given_up += others.len() as u64;
            aftermath.given_up.extend(others);
        } else if !others.is_empty() {
            aftermath.moves.waiting_again += others.len() as u64;
            let fingerprint = self.flights.fingerprint(&work);
            let id = self.flights.add(work.clone(), fingerprint, others);
            self.flows.push_back(task.flow, id);
        }
        let result = Err(Failure::Counter(error));
        (!jobs.is_empty()).then_some(Settlement { work, jobs, result, elapsed, worker: None })
    }

    fn give_up(&mut self, id: FlightId, aftermath: &mut Aftermath) {
        let Some(flight) = self.flights.get_mut(id) else { return };
        let has_begun = flight.has_begun();
        let jobs = std::mem::take(&mut flight.jobs);
        *in_hand(has_begun, aftermath) += jobs.len() as u64;
        self.ended.given_up += jobs.len() as u64;
        aftermath.given_up.extend(jobs);
        self.flights.remove(id);
    }
}

/// Where a job that is taken away is missed.
fn in_hand(has_begun: bool, aftermath: &mut Aftermath) -> &mut u64 {
    let moves = &mut aftermath.moves;
    if has_begun { &mut moves.ended } else { &mut moves.left_queue }
}
