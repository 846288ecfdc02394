//! The gate itself.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What a gate does with the calls that reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answer {
    /// Lets them through at once.
    #[default]
    Ready,
    /// Refuses them.
    Error,
    /// Holds them until [`Gate::release`].
    Slow,
    /// Holds them until another answer is set.
    Never,
}

/// Where a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before the operation: what is dropped or refused here has done nothing.
    Before,
    /// Behind it: what is dropped or refused here is done, and the caller does not learn it.
    After,
}

/// What a gate refuses with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refused at the gate")]
#[non_exhaustive]
pub struct Refused;

/// Holds up calls; clones are the same gate. A new one is [`Answer::Ready`] for every operation.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    place: Place,
    state: Mutex<State>,
    changed: Condvar,
    notify: Notify,
}

#[derive(Debug, Default)]
struct State {
    answer: Answer,
    only: Option<BTreeSet<&'static str>>,
    /// Counts releases, so that one lets through only whoever waits at that moment.
    released: u64,
    waiting: usize,
    passed: u64,
    given_up: u64,
}

impl Gate {
    /// A gate that stands open.
    pub fn new(place: Place) -> Self {
        Self(Arc::new(Shared {
            place,
            state: Mutex::default(),
            changed: Condvar::new(),
            notify: Notify::new(),
        }))
    }

    /// Sets what happens to calls from now on, and to those that wait.
    pub fn set(&self, answer: Answer) {
        self.change(|state| state.answer = answer);
    }

    /// Sets that only these operations are held up, by the names of the trait's methods.
    pub fn only(&self, operations: impl IntoIterator<Item = &'static str>) {
        let operations = operations.into_iter().collect();
        self.change(|state| state.only = Some(operations));
    }

    /// Lets the calls through that wait now.
    pub fn release(&self) {
        self.change(|state| state.released += 1);
    }

    /// Waits until so many calls wait at the gate.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only looks.
    pub async fn arrived(&self, calls: usize) {
        loop {
            let mut changed = pin!(self.0.notify.notified());
            changed.as_mut().enable();
            if self.state().waiting >= calls {
                return;
            }
            changed.await;
        }
    }

    /// Waits on this thread until so many calls wait at the gate.
    pub fn arrived_blocking(&self, calls: usize) {
        let arrived = self.0.changed.wait_while(self.state(), |state| state.waiting < calls);
        drop(arrived.unwrap_or_else(PoisonError::into_inner));
    }

    /// How many calls wait.
    pub fn waiting(&self) -> usize {
        self.state().waiting
    }

    /// How many calls were let through.
    pub fn passed(&self) -> u64 {
        self.state().passed
    }

    /// How many calls were dropped while they waited.
    pub fn given_up(&self) -> u64 {
        self.state().given_up
    }

    pub(super) fn place(&self) -> Place {
        self.0.place
    }

    pub(super) fn covers(&self, operation: &'static str) -> bool {
        self.state().only.as_ref().is_none_or(|only| only.contains(operation))
    }

    pub(super) async fn pass(&self) -> Result<(), Refused> {
        let mut call = self.enter();
        loop {
            let mut changed = pin!(self.0.notify.notified());
            changed.as_mut().enable();
            let answer = call.answer(&self.state());
            if let Some(answer) = answer {
                return call.end(answer);
            }
            changed.await;
        }
    }

    pub(super) fn pass_blocking(&self) -> Result<(), Refused> {
        let mut call = self.enter();
        let held = self.0.changed.wait_while(self.state(), |state| call.answer(state).is_none());
        let answer = call.answer(&held.unwrap_or_else(PoisonError::into_inner));
        call.end(answer.unwrap_or(Err(Refused)))
    }

    fn enter(&self) -> Call<'_> {
        let mut seen = 0;
        self.change(|state| {
            seen = state.released;
            state.waiting += 1;
        });
        Call { gate: self, seen, ended: false }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.0.changed.notify_all();
        self.0.notify.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call at the gate.
struct Call<'a> {
    gate: &'a Gate,
    seen: u64,
    ended: bool,
}

impl Call<'_> {
    /// What becomes of the call; none where it waits on.
    fn answer(&self, state: &State) -> Option<Result<(), Refused>> {
        match state.answer {
            Answer::Ready => Some(Ok(())),
            Answer::Error => Some(Err(Refused)),
            Answer::Slow if state.released > self.seen => Some(Ok(())),
            Answer::Slow | Answer::Never => None,
        }
    }

    fn end(&mut self, answer: Result<(), Refused>) -> Result<(), Refused> {
        self.ended = true;
        self.gate.change(|state| state.passed += u64::from(answer.is_ok()));
        answer
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.gate.change(|state| {
            state.waiting -= 1;
            state.given_up += u64::from(!self.ended);
        });
    }
}
