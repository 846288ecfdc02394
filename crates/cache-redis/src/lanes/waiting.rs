//! Commands that wait for a place.

use std::collections::VecDeque;

use tokio::sync::oneshot;

use super::destination::Destination;
use super::state::Verdict;

/// A command that waits.
pub(super) struct Waiting {
    /// Lower is older.
    pub(super) ticket: u64,
    pub(super) key: Option<u64>,
    pub(super) to: Destination,
    pub(super) verdict: oneshot::Sender<Verdict>,
}

/// Commands that any lane may serve: those to each destination in the order of their tickets. A
/// destination without a place holds up no other.
#[derive(Default)]
pub(super) struct Queue(Vec<(Destination, VecDeque<Waiting>)>);

impl Queue {
    /// Adds a command in its place.
    pub(super) fn push(&mut self, waiting: Waiting) {
        let to = waiting.to;
        let known = self.0.iter().position(|(other, _)| *other == to);
        let place = known.unwrap_or(self.0.len());
        if known.is_none() {
            self.0.push((to, VecDeque::new()));
        }
        enqueue(&mut self.0[place].1, waiting);
    }

    /// The oldest command that is still waited for, among those to destinations that are accepted:
    /// its ticket, and where it goes.
    pub(super) fn oldest(
        &mut self,
        accepts: impl Fn(Destination) -> bool,
    ) -> Option<(u64, Destination)> {
        let mut oldest: Option<(u64, Destination)> = None;
        for (to, queue) in &mut self.0 {
            while queue.front().is_some_and(|waiting| waiting.verdict.is_closed()) {
                queue.pop_front();
            }
            if let Some(waiting) = queue.front()
                && oldest.is_none_or(|(ticket, _)| waiting.ticket < ticket)
                && accepts(*to)
            {
                oldest = Some((waiting.ticket, *to));
            }
        }
        self.forget_destinations();
        oldest
    }

    /// Forgets where nobody waits. Nodes come and go; the one server stays.
    fn forget_destinations(&mut self) {
        self.0.retain(|(to, queue)| !queue.is_empty() || *to == Destination::Server);
    }

    /// Takes the oldest command to a destination.
    pub(super) fn pop(&mut self, to: Destination) -> Option<Waiting> {
        let place = self.0.iter().position(|(other, _)| *other == to)?;
        let waiting = self.0[place].1.pop_front();
        self.forget_destinations();
        waiting
    }

    /// Takes all commands.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Waiting> + use<> {
        std::mem::take(&mut self.0).into_iter().flat_map(|(_, queue)| queue)
    }

    /// Forgets those who gave up, and says whether somebody still waits.
    pub(super) fn is_wanted(&mut self) -> bool {
        for (_, queue) in &mut self.0 {
            queue.retain(|waiting| !waiting.verdict.is_closed());
        }
        self.forget_destinations();
        self.lengths().next().is_some()
    }

    /// Whether nobody waits for a place to a destination.
    pub(super) fn is_empty(&self, to: Destination) -> bool {
        self.lengths().all(|(other, _)| other != to)
    }

    /// How many wait, by destination, where any do.
    pub(super) fn lengths(&self) -> impl Iterator<Item = (Destination, usize)> {
        self.0.iter().map(|(to, queue)| (*to, queue.len())).filter(|(_, length)| *length > 0)
    }
}

/// Puts a command into a queue by its ticket.
pub(super) fn enqueue(queue: &mut VecDeque<Waiting>, waiting: Waiting) {
    let place = queue.partition_point(|other| other.ticket < waiting.ticket);
    queue.insert(place, waiting);
}
