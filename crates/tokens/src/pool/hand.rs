//! What each worker has in hand, where others can see it.

use std::time::{Duration, Instant};

use super::aftermath::{Aftermath, Settlement};
use super::flights::FlightId;
use super::flows::Flow;
use super::parts::PART_BYTES;

/// The hands of all workers, those included that were replaced and have not come back.
pub(super) struct Hands {
    by_worker: Vec<(usize, Hand)>,
    /// The most workers that may be replaced and not have come back.
    most_strays: usize,
    next_worker: usize,
}

#[derive(Default)]
struct Hand {
    running: Option<Running>,
    /// Counted, and kept for a moment to be delivered together.
    together: Vec<Settlement>,
    flow: Option<Flow>,
    is_stray: bool,
}

struct Running {
    /// None while it warms up.
    id: Option<FlightId>,
    since: Instant,
    bytes: usize,
    is_hung: bool,
}

/// A worker whose count does not end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hung {
    pub(super) worker: usize,
    pub(super) id: Option<FlightId>,
    /// The keyed hash of a conversation that waited for it.
    pub(super) conversation: Option<u64>,
    pub(super) after: Duration,
}

impl Hands {
    pub(super) fn new(workers: usize) -> Self {
        let by_worker = (0..workers).map(|worker| (worker, Hand::default())).collect();
        Self { by_worker, most_strays: workers, next_worker: workers }
    }

    /// Shows what a worker begins with. What it kept of another conversation is delivered first.
    pub(super) fn take_up(
        &mut self,
        worker: usize,
        what: Option<(FlightId, Flow)>,
        bytes: usize,
        since: Instant,
        aftermath: &mut Aftermath,
    ) {
        let Some(hand) = self.hand(worker) else { return };
        let flow = what.map(|(_, flow)| flow);
        if hand.flow != flow {
            aftermath.settled.append(&mut hand.together);
        }
        hand.flow = flow;
        let id = what.map(|(id, _)| id);
        hand.running = Some(Running { id, since, bytes, is_hung: false });
    }

    /// The worker has ended what it had begun with. Its result is kept for company where `most`
    /// says how many may be.
    pub(super) fn put_down(
        &mut self,
        worker: usize,
        settled: Option<Settlement>,
        most: Option<usize>,
        aftermath: &mut Aftermath,
    ) {
        let Some(hand) = self.hand(worker) else {
            aftermath.settled.extend(settled);
            return;
        };
        hand.running = None;
        hand.together.extend(settled);
        if most.is_none_or(|most| hand.together.len() >= most) {
            aftermath.settled.append(&mut hand.together);
        }
    }

    /// Hands out what a worker has kept.
    pub(super) fn flush(&mut self, worker: usize, aftermath: &mut Aftermath) {
        if let Some(hand) = self.hand(worker) {
            aftermath.settled.append(&mut hand.together);
        }
    }

    pub(super) fn flush_all(&mut self, aftermath: &mut Aftermath) {
        for (_, hand) in &mut self.by_worker {
            aftermath.settled.append(&mut hand.together);
        }
    }

    /// Notes those that have been counting for too long and were not noted before: `limit` for
    /// each begun [`PART_BYTES`].
    pub(super) fn note_hung(&mut self, now: Instant, limit: Duration) -> Vec<Hung> {
        let mut found = Vec::new();
        for (worker, hand) in &mut self.by_worker {
            let Some(running) = &mut hand.running else { continue };
            let parts = u32::try_from(running.bytes.div_ceil(PART_BYTES)).unwrap_or(u32::MAX);
            let after = limit.saturating_mul(parts.max(1));
            if !running.is_hung && now.saturating_duration_since(running.since) >= after {
                running.is_hung = true;
                let (worker, id) = (*worker, running.id);
                found.push(Hung { worker, id, conversation: None, after });
            }
        }
        found
    }

    /// Makes those that hang strays, as far as may be; names the workers that take their places,
    /// each after the one that it replaces.
    pub(super) fn replace_hung(&mut self) -> Vec<(usize, usize)> {
        let mut replacements = Vec::new();
        let mut room = self.most_strays.saturating_sub(self.strays());
        for (worker, hand) in &mut self.by_worker {
            let is_hung = hand.running.as_ref().is_some_and(|running| running.is_hung);
            if is_hung && !hand.is_stray && room > 0 {
                hand.is_stray = true;
                room -= 1;
                replacements.push((*worker, self.next_worker));
                self.next_worker += 1;
            }
        }
        let new = replacements.iter().map(|(_, new)| (*new, Hand::default()));
        self.by_worker.extend(new);
        replacements
    }

    /// How many were replaced and have not come back.
    pub(super) fn strays(&self) -> usize {
        self.by_worker.iter().filter(|(_, hand)| hand.is_stray).count()
    }

    pub(super) fn is_stray(&mut self, worker: usize) -> bool {
        self.hand(worker).is_none_or(|hand| hand.is_stray)
    }

    pub(super) fn leave(&mut self, worker: usize) {
        self.by_worker.retain(|(name, _)| *name != worker);
    }

    fn hand(&mut self, worker: usize) -> Option<&mut Hand> {
        self.by_worker.iter_mut().find(|(name, _)| *name == worker).map(|(_, hand)| hand)
    }
}
