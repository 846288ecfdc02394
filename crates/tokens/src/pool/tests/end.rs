//! The end of a pool, with and without a shutdown.

use std::time::Duration;

use super::*;
use crate::ShutdownReport;

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_shutdown_counts_what_is_queued_and_refuses_what_is_new() {
    let (counter, gate) = gated();
    let pool = builder(counter).build().unwrap();
    let (first, first_result) = job(STOP);
    let (second, second_result) = job("ab");
    pool.submit(first).unwrap();
    gate.began.recv().unwrap();
    pool.submit(second).unwrap();
    let place = pool.reserve().unwrap();

    let mut ending = Box::pin(pool.shutdown(LONG));
    assert!(tokio::time::timeout(Duration::ZERO, &mut ending).await.is_err());
    assert!(matches!(pool.reserve(), Err(CountError::ShutDown)));
    let (refused, _) = job("no");
    assert!(matches!(pool.submit(refused).unwrap_err().reason, CountError::ShutDown));
    let (late, late_result) = job("abc");
    place.submit(late);

    gate.go.send(()).unwrap();
    let report = ending.await;
    assert_eq!(report, ShutdownReport { counted: 3, left: 0, detached: 0 });
    assert_eq!(first_result.recv().unwrap().unwrap(), byte_tally(STOP));
    assert_eq!(second_result.recv().unwrap().unwrap(), byte_tally("ab"));
    assert_eq!(late_result.recv().unwrap().unwrap(), byte_tally("abc"));
    assert_eq!(pool.metrics().snapshot().refused_shut_down, 2);
}

#[tokio::test(start_paused = true)]
async fn at_its_deadline_a_shutdown_gives_up_what_is_left() {
    let (counter, gate) = gated();
    let pool = builder(counter).build().unwrap();
    let (stuck, stuck_result) = job(STOP);
    let (queued, queued_result) = job("ab");
    pool.submit(stuck).unwrap();
    gate.began.recv().unwrap();
    pool.submit(queued).unwrap();
    let place = pool.reserve().unwrap();

    let report = pool.shutdown(Duration::from_secs(1)).await;
    assert_eq!(report, ShutdownReport { counted: 0, left: 2, detached: 1 });
    for results in [stuck_result, queued_result] {
        assert!(matches!(results.try_recv().unwrap(), Err(CountError::ShutDown)));
        assert!(results.try_recv().is_err(), "one answer each");
    }
    assert!(pool.is_idle());
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.given_up, snapshot.queue_depth), (2, 0));

    let (late, late_result) = job("abc");
    place.submit(late);
    assert!(matches!(late_result.try_recv().unwrap(), Err(CountError::ShutDown)));
    drop(gate);
}

#[tokio::test]
async fn a_shutdown_may_be_called_twice_and_at_the_same_time() {
    let pool = builder(bytes()).workers(3).build().unwrap();
    let (queued, results) = job("ab");
    pool.submit(queued).unwrap();
    let (one, other) = tokio::join!(pool.shutdown(LONG), pool.shutdown(LONG));
    assert_eq!((one, pool.shutdown(Duration::ZERO).await), (other, other));
    assert_eq!((one.left, one.detached), (0, 0));
    assert_eq!(results.recv().unwrap().unwrap(), byte_tally("ab"));
    assert!(pool.count("x", LONG).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_whose_future_is_dropped_can_be_called_again() {
    let (counter, gate) = gated();
    let pool = builder(counter).build().unwrap();
    let (stuck, results) = job(STOP);
    pool.submit(stuck).unwrap();
    gate.began.recv().unwrap();
    let ending = pool.shutdown(LONG);
    assert!(tokio::time::timeout(Duration::from_secs(1), ending).await.is_err());
    assert!(pool.reserve().is_err());
    gate.go.send(()).unwrap();
    assert_eq!(results.recv().unwrap().unwrap(), byte_tally(STOP));
    tokio::time::resume();
    let report = pool.shutdown(LONG).await;
    assert_eq!(report, ShutdownReport { counted: 1, left: 0, detached: 0 });
}

#[test]
fn dropping_the_last_handle_gives_up_what_is_queued() {
    let (counter, gate) = gated();
    let pool = builder(counter).build().unwrap();
    let (stuck, stuck_result) = job(STOP);
    let (queued, queued_result) = job("ab");
    pool.submit(stuck).unwrap();
    gate.began.recv().unwrap();
    pool.submit(queued).unwrap();
    let clone = pool.clone();
    drop(pool);
    assert!(queued_result.try_recv().is_err(), "a handle is left");
    drop(clone);
    assert!(matches!(queued_result.try_recv().unwrap(), Err(CountError::ShutDown)));
    gate.go.send(()).unwrap();
    assert_eq!(stuck_result.recv().unwrap().unwrap(), byte_tally(STOP), "it was in hand");
}

#[test]
fn threads_end_and_the_counter_is_dropped_with_the_last_handle() {
    let counter: Arc<dyn TokenCounter> = Arc::new(bytes());
    let weak = Arc::downgrade(&counter);
    let pool = AsyncTokenCounter::builder(counter).workers(2).build().unwrap();
    let (queued, results) = job("ab");
    pool.submit(queued).unwrap();
    results.recv().unwrap().unwrap();
    drop(pool);
    // The threads hold the counter; each gives it up when it ends.
    while weak.upgrade().is_some() {
        std::thread::yield_now();
    }
}

#[test]
fn the_last_handle_may_be_dropped_by_a_callback() {
    let pool = builder(bytes()).build().unwrap();
    let (sender, results) = channel();
    let clone = pool.clone();
    let (go, gone) = channel::<()>();
    pool.submit(Job::text("x", move |counted| {
        gone.recv().ok();
        drop(clone);
        sender.send(counted.result).ok();
    }))
    .unwrap();
    drop(pool);
    drop(go);
    assert_eq!(results.recv().unwrap().unwrap(), Tally::exact(1));
}
