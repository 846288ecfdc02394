//! The pool against counters that are slow, failing, panicking or never done.

mod answers;
mod end;
mod faults;
mod guard;
mod idle;
mod inline;
mod logs;
mod places;
mod queue;

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
    }
}

/// A counter without expectations for `count`.
fn mock() -> MockCounter {
    let mut counter = MockCounter::new();
    counter.expect_id().return_const(CounterId::new("mock").unwrap());
    counter.expect_inline_safe().return_const(true);
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
fn builder(counter: MockCounter) -> Builder {
    AsyncTokenCounter::builder(Arc::new(counter)).workers(1).warm_up(false)
}

/// A pool whose only worker runs where the test steps it.
fn stepped(builder: Builder) -> (AsyncTokenCounter, Worker) {
    let (pool, mut workers) = builder.workers(1).unspawned().unwrap();
    (pool, workers.remove(0))
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
}

/// The text at which a gated counter stops.
const STOP: &str = "stop";

fn gated() -> (MockCounter, Gate) {
    let (starts, began) = channel();
    let (go, until) = channel();
    let (starts, until) = (Mutex::new(starts), Mutex::new(until));
    let mut counter = mock();
    counter.expect_count().returning(move |text| {
        if text == STOP {
            starts.lock().unwrap().send(()).ok();
            until.lock().unwrap().recv().ok();
        }
        Ok(text.len())
    });
    (counter, Gate { began, go })
}
