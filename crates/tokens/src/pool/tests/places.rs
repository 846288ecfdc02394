//! Places are bounded, and nobody waits for one.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use super::*;
use crate::error::BuildError;
use crate::pool::{DEFAULT_DEADLINE, MAX_CAPACITY, MAX_WORKERS};

#[test]
fn a_full_queue_is_told_and_gives_the_job_back() {
    let (pool, worker) = stepped(builder(bytes()).capacity(2));
    let (first, first_result) = job("a");
    let (second, _second_result) = job("b");
    pool.submit(first).unwrap();
    pool.submit(second).unwrap();
    let (third, third_result) = job("ccc");
    let refused = pool.submit(third).unwrap_err();
    assert!(matches!(refused.reason, CountError::QueueFull { capacity: 2 }), "{refused}");
    assert_eq!(pool.metrics().snapshot().refused_full, 1);

    worker.step();
    first_result.recv().unwrap().unwrap();
    pool.submit(refused.job).unwrap();
    worker.step();
    worker.step();
    assert_eq!(third_result.recv().unwrap().unwrap(), byte_tally("ccc"));
}

#[test]
fn a_reserved_place_is_kept_until_it_is_used_or_dropped() {
    let (pool, worker) = stepped(builder(bytes()).capacity(1));
    let place = pool.reserve().unwrap();
    assert!(matches!(pool.reserve(), Err(CountError::QueueFull { capacity: 1 })));
    drop(place);
    let place = pool.reserve().unwrap();
    let (job, results) = job("x");
    place.submit(job);
    assert!(pool.reserve().is_err());
    worker.step();
    results.recv().unwrap().unwrap();
    drop(pool.reserve().unwrap());
    assert_eq!(pool.metrics().snapshot().submitted, 1, "an unused place is no job");
}

#[test]
fn a_place_is_held_until_the_result_is_let_go() {
    let (pool, worker) = stepped(builder(bytes()).capacity(1));
    let (sender, results) = channel();
    pool.submit(Job::text("x", move |counted| sender.send(counted).unwrap())).unwrap();
    worker.step();
    let counted = results.recv().unwrap();
    assert!(pool.is_idle());
    assert!(pool.reserve().is_err(), "the result still stands in a buffer");
    drop(counted);
    assert!(pool.reserve().is_ok());
}

#[test]
fn what_is_out_of_bounds_is_refused_before_a_thread_starts() {
    let check = |capacity: usize, workers: usize, expected: &str| {
        let error = builder(bytes()).capacity(capacity).workers(workers).build().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(matches!(error, BuildError::Capacity { .. } | BuildError::Workers { .. }));
    };
    check(0, 1, "queue capacity 0");
    check(MAX_CAPACITY + 1, 1, "1 to 1000000");
    check(1, 0, "0 worker threads");
    check(1, MAX_WORKERS + 1, "1 to 1024");
}

#[test]
fn debug_shows_no_content() {
    let (pool, worker) = stepped(builder(bytes()));
    let (sender, results) = channel();
    let job = Job::text("secret", move |counted| sender.send(counted).unwrap());
    let before = format!("{pool:?} {job:?} {:?}", pool.reserve());
    pool.submit(job).unwrap();
    worker.step();
    let shown = format!("{before} {:?}", results.recv().unwrap());
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains("mock/openai-chat-1") && shown.contains("bytes: 6"), "{shown}");
}

#[tokio::test]
async fn an_awaited_count_waits_for_a_place() {
    let (pool, worker) = stepped(builder(bytes()).capacity(1));
    let place = pool.reserve().unwrap();
    let message = Message::user("a");
    let mut counting = pin!(pool.tally(&message, DEFAULT_DEADLINE));
    assert!(is_pending(&mut counting).await);
    assert_eq!(pool.metrics().snapshot().submitted, 0);
    drop(place);
    assert!(is_pending(&mut counting).await);
    assert_eq!(pool.metrics().snapshot().submitted, 1);
    worker.step();
    assert_eq!(counting.await.unwrap().tokens, 3 + 4 + 1);
}

#[tokio::test]
async fn an_awaited_count_without_a_place_ends_with_the_pool() {
    let (pool, _worker) = stepped(builder(bytes()).capacity(1));
    let _place = pool.reserve().unwrap();
    let message = Message::user("a");
    let mut counting = pin!(pool.tally(&message, DEFAULT_DEADLINE));
    assert!(is_pending(&mut counting).await);
    pool.shutdown(Duration::ZERO).await;
    assert!(matches!(counting.await, Err(CountError::ShutDown)));
}

async fn is_pending<T>(future: &mut Pin<&mut impl Future<Output = T>>) -> bool {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}
