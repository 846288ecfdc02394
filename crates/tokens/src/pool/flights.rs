//! The counts that are wanted, each with everyone who waits for it.

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{Framing, TextCount};

use super::deliver::Owed;
use super::flows::Offer;
use super::job::Work;
use super::parts::{PART_BYTES, Part};

pub(super) type FlightId = u64;

/// One count, from the moment when a worker sees its first job until it is settled.
pub(super) struct Flight {
    pub(super) work: Work,
    pub(super) bytes: usize,
    /// Those who get the answer.
    pub(super) jobs: Vec<Owed>,
    pub(super) stage: Stage,
    /// How many workers have it, or a part of it, in hand.
    pub(super) running: usize,
    /// The time that its parts have taken.
    pub(super) elapsed: Duration,
    fingerprint: u64,
}

pub(super) enum Stage {
    Waiting,
    /// A worker has all of it in hand.
    Counting,
    /// Workers count it part by part.
    InParts(InParts),
    /// Its count does not end. It has been answered, and stands for texts that are alike.
    Hung {
        after: Duration,
    },
}

pub(super) struct InParts {
    pub(super) parts: Arc<[Part]>,
    /// The first part that nobody has taken.
    pub(super) next: usize,
    pub(super) sum: TextCount,
}

impl Flight {
    /// Whether there is something of it to take up.
    pub(super) fn offer(&self) -> Option<Offer> {
        match &self.stage {
            // The worker that cuts a long text goes on with the first part.
            Stage::Waiting => Some(Offer { bytes: self.bytes.min(PART_BYTES), is_last: true }),
            Stage::InParts(InParts { parts, next, .. }) => {
                let part = parts.get(*next)?;
                Some(Offer { bytes: part.bytes, is_last: next + 1 == parts.len() })
            }
            Stage::Counting | Stage::Hung { .. } => None,
        }
    }

    pub(super) fn is_long(&self) -> bool {
        self.bytes > PART_BYTES
    }

    /// Whether workers have begun with it.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.stage, Stage::Waiting)
    }
}

/// All flights, and which texts are alike.
pub(super) struct Flights {
    by_id: HashMap<FlightId, Flight>,
    alike: HashMap<u64, FlightId>,
    last: FlightId,
    keys: RandomState,
    framing: Framing,
}

impl Flights {
    pub(super) fn new(framing: Framing) -> Self {
        let (by_id, alike) = (HashMap::new(), HashMap::new());
        Self { by_id, alike, last: 0, keys: RandomState::new(), framing }
    }

    /// The flight that counts the same texts already.
    pub(super) fn alike(
        &mut self,
        work: &Work,
        fingerprint: u64,
    ) -> Option<(FlightId, &mut Flight)> {
        let id = *self.alike.get(&fingerprint)?;
        let flight = self.by_id.get_mut(&id)?;
        flight.work.is_same(work, &self.framing).then_some((id, flight))
    }

    pub(super) fn fingerprint(&self, work: &Work) -> u64 {
        work.fingerprint(&self.keys)
    }

    pub(super) fn add(&mut self, work: Work, fingerprint: u64, jobs: Vec<Owed>) -> FlightId {
        self.last += 1;
        let id = self.last;
        // Of several whose samples agree, the first is found.
        self.alike.entry(fingerprint).or_insert(id);
        let (bytes, elapsed) = (work.bytes(), Duration::ZERO);
        let stage = Stage::Waiting;
        let flight = Flight { work, bytes, jobs, stage, running: 0, elapsed, fingerprint };
        self.by_id.insert(id, flight);
        id
    }

    pub(super) fn get(&self, id: FlightId) -> Option<&Flight> {
        self.by_id.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: FlightId) -> Option<&mut Flight> {
        self.by_id.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: FlightId) -> Option<Flight> {
        let flight = self.by_id.remove(&id)?;
        if self.alike.get(&flight.fingerprint) == Some(&id) {
            self.alike.remove(&flight.fingerprint);
        }
        Some(flight)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The flights of which `which` holds.
    pub(super) fn ids(&self, which: impl Fn(&Flight) -> bool) -> Vec<FlightId> {
        let found = self.by_id.iter().filter(|(_, flight)| which(flight));
        let mut ids: Vec<_> = found.map(|(id, _)| *id).collect();
        // In the order in which they came.
        ids.sort_unstable();
        ids
    }
}

/// Adds what another piece of the same texts has.
pub(super) fn add(sum: &mut TextCount, piece: TextCount) {
    sum.tokens = sum.tokens.saturating_add(piece.tokens);
    sum.by_fallback |= piece.by_fallback;
}

/// Notes that a worker begins with a job.
pub(super) fn begin(jobs: &mut [Owed], now: Instant) {
    for job in jobs {
        job.begin(now);
    }
}
