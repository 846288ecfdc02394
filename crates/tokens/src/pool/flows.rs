//! Whose turn it is: deficit round robin between conversations, with bytes as the cost.
//!
//! Every conversation has one line for short jobs and one for long ones, so that a short job waits
//! behind no long one. The lines take turns. A line whose turn it is may have [`QUANTUM`] bytes
//! counted; what it takes above that it owes in its next turns. (Shreedhar and Varghese, "Efficient
//! fair queueing using deficit round robin", 1995; that a line may go into debt saves looking ahead.)

use std::collections::{HashMap, VecDeque};

use super::flights::FlightId;

/// The bytes that one turn is worth: some dozens of chat messages, less than a millisecond.
pub(super) const QUANTUM: u32 = 8 * 1024;

/// No job costs less, because a call has a fixed cost.
const LEAST_COST: usize = 64;

/// No job costs more, so that a debt is paid in a bounded number of turns.
const MOST_COST: usize = 1024 * 1024;

/// A line of jobs that take turns with those of other lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Flow {
    /// A keyed hash; jobs that name no conversation share the lines of none.
    pub(super) conversation: Option<u64>,
    pub(super) is_long: bool,
}

/// What the first job of a line is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) bytes: usize,
    /// Whether nothing is left of it once this is taken.
    pub(super) is_last: bool,
}

#[derive(Debug)]
struct Line {
    entries: VecDeque<FlightId>,
    credit: i64,
}

/// All lines, in the order of their turns.
///
/// An entry may outlive what it stands for; it is passed over when its turn comes.
#[derive(Debug, Default)]
pub(super) struct Flows {
    lines: HashMap<Flow, Line>,
    turns: VecDeque<Flow>,
    entries: usize,
}

impl Flows {
    pub(super) fn push_back(&mut self, flow: Flow, id: FlightId) {
        self.line(flow).entries.push_back(id);
    }

    pub(super) fn push_front(&mut self, flow: Flow, id: FlightId) {
        self.line(flow).entries.push_front(id);
    }

    /// The next of the line whose turn it is. `offer` tells what an entry is worth, and none for
    /// one that is no longer there.
    pub(super) fn next(
        &mut self,
        offer: impl Fn(FlightId) -> Option<Offer>,
    ) -> Option<(Flow, FlightId)> {
        loop {
            let flow = *self.turns.front()?;
            let others_wait = self.turns.len() > 1;
            let Some((id, offer, credit)) = self.first(flow, &offer) else {
                self.end_line(flow);
                continue;
            };
            if *credit <= 0 {
                *credit += i64::from(QUANTUM);
                if others_wait {
                    self.turns.rotate_left(1);
                    continue;
                }
                // Nobody is waiting, so nothing is owed to anyone.
                *credit = QUANTUM.into();
            }
            let cost = offer.bytes.clamp(LEAST_COST, MOST_COST);
            *credit -= i64::try_from(cost).unwrap_or(i64::MAX);
            if offer.is_last {
                self.pop(flow);
            }
            return Some((flow, id));
        }
    }

    /// Whether the line may have more counted before another one's turn comes.
    pub(super) fn is_turn_of(&self, flow: Flow) -> bool {
        self.turns.front() == Some(&flow)
            && self.lines.get(&flow).is_some_and(|line| line.credit > 0)
    }

    /// How many entries there are, with those that stand for nothing.
    pub(super) fn entries(&self) -> usize {
        self.entries
    }

    /// Forgets the entries that stand for nothing.
    pub(super) fn retain(&mut self, stands: impl Fn(FlightId) -> bool) {
        for line in self.lines.values_mut() {
            line.entries.retain(|id| stands(*id));
        }
        self.lines.retain(|_, line| !line.entries.is_empty());
        self.turns.retain(|flow| self.lines.contains_key(flow));
        self.entries = self.lines.values().map(|line| line.entries.len()).sum();
    }

    fn line(&mut self, flow: Flow) -> &mut Line {
        self.entries += 1;
        self.lines.entry(flow).or_insert_with(|| {
            self.turns.push_back(flow);
            Line { entries: VecDeque::new(), credit: QUANTUM.into() }
        })
    }

    /// The first entry of a line that stands for something.
    fn first(
        &mut self,
        flow: Flow,
        offer: impl Fn(FlightId) -> Option<Offer>,
    ) -> Option<(FlightId, Offer, &mut i64)> {
        let line = self.lines.get_mut(&flow)?;
        loop {
            let id = *line.entries.front()?;
            if let Some(offer) = offer(id) {
                return Some((id, offer, &mut line.credit));
            }
            line.entries.pop_front();
            self.entries -= 1;
        }
    }

    /// Takes the first entry of the line whose turn it is.
    fn pop(&mut self, flow: Flow) {
        let Some(line) = self.lines.get_mut(&flow) else { return };
        self.entries -= usize::from(line.entries.pop_front().is_some());
        if line.entries.is_empty() {
            self.end_line(flow);
        }
    }

    /// Ends the line whose turn it is.
    fn end_line(&mut self, flow: Flow) {
        self.lines.remove(&flow);
        self.turns.pop_front();
    }
}
