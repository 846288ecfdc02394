//! Waiting for a number to become zero, and for an event to have happened.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_at_zero_and_begins_anew() {
        let zero = Zero::default();
        zero.wait().await;
        zero.add();
        zero.add();
        let mut waiting = Box::pin(zero.wait());
        assert!(futures_poll(&mut waiting).await.is_pending());
        zero.sub();
        assert!(futures_poll(&mut waiting).await.is_pending());
        zero.sub();
        waiting.await;
        assert_eq!(zero.get(), 0);
    }

    #[tokio::test]
    async fn a_latch_stays_set() {
        let latch = Latch::default();
        let mut waiting = Box::pin(latch.wait());
        assert!(futures_poll(&mut waiting).await.is_pending());
        latch.set();
        waiting.await;
        latch.wait().await;
    }

    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
        let mut future = Some(future);
        std::future::poll_fn(|context| {
            let future = future.take().expect("polled once");
            std::task::Poll::Ready(std::pin::Pin::new(future).poll(context))
        })
        .await
    }
}
