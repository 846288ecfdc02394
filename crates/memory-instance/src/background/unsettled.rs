//! How many messages were queued and are not settled yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::counter;
use tokio::sync::Notify;

use crate::metrics::names;

/// A count that can be awaited to reach zero, and how many messages went from it to a sweep.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    /// Both numbers in one, so that a message is at every moment in one of them: what is unsettled
    /// in the lower half, what was left in the upper. The lower is bounded by the queue's places;
    /// the upper may wrap, and only differences of it are used.
    numbers: AtomicU64,
    changed: Notify,
}

/// One message that was left to a sweep.
const LEFT: u64 = 1 << 32;

/// The numbers of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers(u64);

/// One message that is queued or being settled. Dropping it leaves the message to a sweep: so
/// whatever way it is lost on, it is told.
#[derive(Debug)]
pub(crate) struct UnsettledGuard {
    of: Arc<Unsettled>,
    is_settled: bool,
}

impl Numbers {
    pub(crate) fn unsettled(self) -> u64 {
        self.0 % LEFT
    }

    /// How many messages were left to a sweep since an earlier moment.
    pub(crate) fn left_since(self, before: Self) -> u64 {
        (self.0 / LEFT).wrapping_sub(before.0 / LEFT) % LEFT
    }
}

impl UnsettledGuard {
    /// The store has answered for the message.
    pub(crate) fn settled(mut self) {
        self.is_settled = true;
    }
}

impl Unsettled {
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers(self.numbers.load(Ordering::Acquire))
    }

    pub(crate) fn count(&self) -> u64 {
        self.numbers().unsettled()
    }

    pub(crate) fn enter(self: &Arc<Self>) -> UnsettledGuard {
        self.numbers.fetch_add(1, Ordering::AcqRel);
        UnsettledGuard { of: Arc::clone(self), is_settled: false }
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
        let before = if self.is_settled {
            self.of.numbers.fetch_sub(1, Ordering::AcqRel)
        } else {
            // One more above, one less below: below there is one at least, so nothing is borrowed.
            self.of.numbers.fetch_add(LEFT - 1, Ordering::AcqRel)
        };
        if !self.is_settled {
            counter!(names::LEFT_TO_SWEEP).increment(1);
        }
        if Numbers(before).unsettled() == 1 {
            self.of.changed.notify_waiters();
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

    #[test]
    fn a_message_is_unsettled_or_left_and_never_both() {
        let unsettled = Arc::new(Unsettled::default());
        // Just before the upper half wraps.
        unsettled.numbers.store(u64::MAX - (LEFT - 1), Ordering::Release);
        let before = unsettled.numbers();
        let check = |expected| {
            let now = unsettled.numbers();
            assert_eq!((now.unsettled(), now.left_since(before)), expected);
        };
        let guards = [unsettled.enter(), unsettled.enter(), unsettled.enter()];
        check((3, 0));
        let [first, second, third] = guards;
        drop(first);
        check((2, 1));
        second.settled();
        check((1, 1));
        drop(third);
        check((0, 2));
    }
}
