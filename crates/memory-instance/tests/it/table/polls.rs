//! Polling a future from one point of waiting to the next.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Notes that it was woken.
#[derive(Debug, Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls a future so many times at most, each time when it was woken, and drops it.
///
/// `pass` lets others get on while the future waits: tasks, threads, or the clock.
pub(super) async fn poll<T>(
    future: impl Future<Output = T>,
    polls: usize,
    mut pass: impl AsyncFnMut(),
) -> Option<T> {
    let mut future = pin!(future);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    for _ in 0..polls {
        woken.0.store(false, Ordering::SeqCst);
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        while !woken.0.load(Ordering::SeqCst) {
            pass().await;
        }
    }
    None
}
