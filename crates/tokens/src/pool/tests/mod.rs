//! The pool against counters that are slow, failing, panicking or never done.

mod answers;
mod end;
mod faults;
mod flows;
mod guard;
mod hung;
mod idle;
mod inline;
mod logs;
mod parts;
mod places;
mod queue;
mod same;
mod threads;
mod turns;

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use memory_core::{CountError, CounterId, Message, Tally, TokenCounter};

use super::builder::Builder;
use super::worker::Worker;
use crate::{AsyncTokenCounter, Job};

mockall::mock! {
    #[derive(Debug)]
    pub(super) Counter {}

    impl TokenCounter for Counter {
        fn id(&self) -> &CounterId;
        fn count(&self, text: &str) -> Result<usize, CountError>;
        fn upper_bound(&self, text: &str) -> Option<usize>;
        fn inline_safe(&self) -> bool;
        fn safe_cut(&self, text: &str, near: usize) -> Option<usize>;
        fn is_cpu_bound(&self) -> bool;
    }
}

/// A counter without expectations for `count`.
fn mock() -> MockCounter {
    let mut counter = MockCounter::new();
    counter.expect_id().return_const(CounterId::new("mock").unwrap());
    counter.expect_inline_safe().return_const(true);
    counter.expect_is_cpu_bound().return_const(true);
    counter
}

/// A counter that counts bytes.
fn bytes() -> MockCounter {
    let mut counter = mock();
    counter.expect_count().returning(|text| Ok(text.len()));
    counter
}

fn failure() -> CountError {
    let source = Box::new(std::io::Error::other("the text was: secret"));
    CountError::Failed { counter: CounterId::new("mock").unwrap(), source }
}

/// A pool with one worker and no warm-up.
fn builder(counter: impl TokenCounter) -> Builder {
    AsyncTokenCounter::builder(Arc::new(counter)).workers(1).warm_up(false)
}

/// A pool whose only worker runs where the test steps it.
fn stepped(builder: Builder) -> (AsyncTokenCounter, Worker) {
    let (pool, mut workers) = builder.workers(1).unspawned().unwrap();
    (pool, workers.remove(0))
}

/// The same with two workers.
fn stepped_by_two(builder: Builder) -> (AsyncTokenCounter, [Worker; 2]) {
    let (pool, workers) = builder.workers(2).unspawned().unwrap();
    (pool, workers.try_into().ok().expect("two were asked for"))
}

type Results = Receiver<Result<Tally, CountError>>;

/// A job that sends its result to the channel and lets go of its place.
fn job(text: &str) -> (Job, Results) {
    let (sender, receiver) = channel();
    let job = Job::message(Message::user(text), move |counted| {
        sender.send(counted.result).ok();
    });
    (job, receiver)
}

/// The tally of a user message under a counter that counts bytes.
fn byte_tally(text: &str) -> Tally {
    Tally::exact(3 + "user".len() as u64 + text.len() as u64)
}

/// A counter that tells when it begins, and returns when it is let go.
struct Gate {
    pub(super) began: Receiver<()>,
    /// Each message lets one count go; dropping this lets all go.
    pub(super) go: Sender<()>,
    /// The same for texts that begin with [`OTHER_STOP`].
    pub(super) go_other: Sender<()>,
}

/// What texts begin with at which a gated counter stops.
const STOP: &str = "stop";

/// What texts begin with that stop at a gate of their own.
const OTHER_STOP: &str = "stop too";

/// Counts bytes; waits at its gate where a text says so. Unlike a mock it lets several threads in.
#[derive(Debug)]
struct Gated {
    id: CounterId,
    starts: Mutex<Sender<()>>,
    until: Mutex<Receiver<()>>,
    until_other: Mutex<Receiver<()>>,
    cuts: bool,
}

impl TokenCounter for Gated {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        if text.starts_with(STOP) {
            self.starts.lock().unwrap().send(()).ok();
            let is_other = text.starts_with(OTHER_STOP);
            let until = if is_other { &self.until_other } else { &self.until };
            until.lock().unwrap().recv().ok();
        }
        Ok(text.len())
    }

    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        (self.cuts && near < text.len()).then_some(near)
    }
}

fn gated() -> (Gated, Gate) {
    let ((starts, began), (go, until), (go_other, until_other)) = (channel(), channel(), channel());
    let (until, until_other) = (Mutex::new(until), Mutex::new(until_other));
    let (id, starts) = (CounterId::new("mock").unwrap(), Mutex::new(starts));
    (Gated { id, starts, until, until_other, cuts: false }, Gate { began, go, go_other })
}
