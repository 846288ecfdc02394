//! Waiting for zero, and for what has happened.

use crate::pool::idle::{Latch, Zero};

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
