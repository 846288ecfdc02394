//! What a proxy saw of its clients.

use std::time::Instant;

/// The connections that a proxy accepted, and what became of them.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Log {
    /// How many it has accepted.
    pub accepted: u64,
    /// How many are open now. One that is half-open counts until the client closes it.
    pub open: usize,
    /// The most that were open at the same time. Before a new one is counted, those are taken off
    /// that their clients have closed by then.
    pub most_open: usize,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Something that happened to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The connection, counted from 1 in the order in which they were accepted.
    pub connection: u64,
    /// What happened to it.
    pub happened: Happened,
    /// When.
    pub at: Instant,
}

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Happened {
    /// It was accepted.
    Accepted,
    /// The client closed it.
    ClosedByClient,
    /// The server closed it, or could not be reached.
    ClosedByServer,
    /// The test had it closed, reset or made silent.
    Ended,
    /// It was cut in the middle of a reply, and closed, reset or made silent.
    Cut,
}

impl Log {
    /// How often this happened.
    pub fn count(&self, happened: Happened) -> usize {
        self.events.iter().filter(|event| event.happened == happened).count()
    }

    pub(super) fn accepted(&mut self, connection: u64) {
        self.accepted += 1;
        self.open += 1;
        self.most_open = self.most_open.max(self.open);
        self.add(connection, Happened::Accepted);
    }

    /// Notes how a connection ended; `open` says whether the client's socket stays.
    pub(super) fn ended(&mut self, connection: u64, happened: Happened, open: bool) {
        self.open -= usize::from(!open);
        self.add(connection, happened);
    }

    fn add(&mut self, connection: u64, happened: Happened) {
        self.events.push(Event { connection, happened, at: Instant::now() });
    }
}
