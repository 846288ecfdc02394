//! Waiting for a number to become zero, and for an event to have happened.

use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use crate::sync::{AtomicBool, AtomicUsize};

/// A count that can be waited on until it is zero.
#[derive(Debug, Default)]
pub(super) struct Zero {
    count: AtomicUsize,
    reached: Notify,
}

impl Zero {
    pub(super) fn add(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn sub(&self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.reached.notify_waiters();
        }
    }

    pub(super) fn get(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    pub(super) async fn wait(&self) {
        until(&self.reached, || self.get() == 0).await;
    }
}

/// An event that happens once and stays.
#[derive(Debug, Default)]
pub(super) struct Latch {
    set: AtomicBool,
    changed: Notify,
}

impl Latch {
    pub(super) fn set(&self) {
        self.set.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(super) async fn wait(&self) {
        until(&self.changed, || self.set.load(Ordering::Acquire)).await;
    }
}

/// Waits until `done` holds, looking again whenever `changed` is notified.
pub(super) async fn until(changed: &Notify, mut done: impl FnMut() -> bool) {
    loop {
        let notified = changed.notified();
        tokio::pin!(notified);
        // Listening before looking: a change between the two is not missed.
        notified.as_mut().enable();
        if done() {
            return;
        }
        notified.await;
    }
}
