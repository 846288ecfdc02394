//! How many messages were queued and are not settled yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// A count that can be awaited to reach zero.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    count: AtomicU64,
    changed: Notify,
}

/// One message that is queued or being settled; dropping it says that this is over.
#[derive(Debug)]
pub(crate) struct UnsettledGuard(Arc<Unsettled>);

impl Unsettled {
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    pub(crate) fn enter(self: &Arc<Self>) -> UnsettledGuard {
        self.count.fetch_add(1, Ordering::AcqRel);
        UnsettledGuard(Arc::clone(self))
    }

    /// Waits until nothing is queued or being settled.
    pub(crate) async fn none_left(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that no change between the two is missed.
            changed.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for UnsettledGuard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.changed.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    #[tokio::test]
    async fn none_left_waits_for_the_last_guard() {
        let unsettled = Arc::new(Unsettled::default());
        unsettled.none_left().await;
        let (first, second) = (unsettled.enter(), unsettled.enter());
        let mut waiting = pin!(unsettled.none_left());
        let mut is_waiting = async || {
            poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await
        };
        assert!(is_waiting().await);
        drop(first);
        assert!(is_waiting().await);
        assert_eq!(unsettled.count(), 1);
        drop(second);
        assert!(!is_waiting().await);
    }
}
