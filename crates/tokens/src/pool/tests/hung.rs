//! Counts that do not end.

use std::time::{Duration, Instant};

use super::*;
use crate::pool::watch::Watcher;
use crate::pool::{DEFAULT_HUNG_AFTER, PART_BYTES};
use crate::{HungCount, ShutdownReport};

const LONG: Duration = Duration::from_mins(1);

/// A pool with one worker on a thread, and a watcher that looks when it is told to.
pub(super) fn watched(counter: impl TokenCounter) -> (AsyncTokenCounter, Watcher) {
    let (pool, workers) = builder(counter).unspawned().unwrap();
    for worker in workers {
        let thread = crate::sync::thread::spawn(move || worker.run());
        pool.pool().threads.keep(0, thread);
    }
    let watcher = Watcher::new(Arc::clone(pool.shared()), Arc::clone(&pool.pool().threads));
    (pool, watcher)
}

/// Every count that goes on now has taken too long.
pub(super) fn too_late() -> Instant {
    Instant::now() + 2 * DEFAULT_HUNG_AFTER
}

fn is_hung(result: &Result<Tally, CountError>) -> bool {
    let Err(CountError::Failed { source, .. }) = result else { return false };
    source.downcast_ref::<HungCount>().is_some_and(|hung| hung.after >= DEFAULT_HUNG_AFTER)
}

fn submit(pool: &AsyncTokenCounter, text: &str) -> Results {
    let (job, results) = job(text);
    pool.submit(job).unwrap();
    results
}

#[tokio::test]
async fn a_worker_that_hangs_is_replaced_and_its_job_is_answered() {
    let (counter, gate) = gated();
    let (pool, mut watcher) = watched(counter);
    let stuck = submit(&pool, STOP);
    gate.began.recv().unwrap();
    let next = submit(&pool, "ab");
    watcher.look(Instant::now());
    assert!(stuck.try_recv().is_err(), "it may take its time");
    watcher.look(too_late());
    assert!(is_hung(&stuck.try_recv().unwrap()));
    assert_eq!(next.recv().unwrap().unwrap(), byte_tally("ab"), "another worker goes on");
    watcher.look(too_late());
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.hung, snapshot.detached_workers, snapshot.failed), (1, 1, 1));

    let same = submit(&pool, STOP);
    assert!(is_hung(&same.recv().unwrap()), "nobody else begins with it");
    assert_eq!(pool.metrics().snapshot().hung, 1);

    let report = pool.shutdown(LONG).await;
    assert_eq!(report, ShutdownReport { counted: 0, left: 0, detached: 1 });
    gate.go.send(()).unwrap();
    while pool.metrics().snapshot().detached_workers > 0 {
        std::thread::yield_now();
    }
    assert!(stuck.try_recv().is_err(), "one answer");
    assert_eq!(pool.shutdown(LONG).await.detached, 0);
}

#[tokio::test]
async fn there_are_at_most_twice_as_many_threads() {
    let (counter, gate) = gated();
    let (pool, mut watcher) = watched(counter);
    let first = submit(&pool, STOP);
    gate.began.recv().unwrap();
    watcher.look(too_late());
    assert!(is_hung(&first.recv().unwrap()));
    let second = submit(&pool, OTHER_STOP);
    gate.began.recv().unwrap();
    let third = submit(&pool, "ab");
    watcher.look(too_late());
    assert!(is_hung(&second.recv().unwrap()), "it is answered all the same");
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.hung, snapshot.detached_workers), (2, 1));
    assert!(third.try_recv().is_err(), "no worker is left");

    // The first comes back, and so there may be another one for the second.
    gate.go.send(()).unwrap();
    while pool.metrics().snapshot().detached_workers > 0 {
        std::thread::yield_now();
    }
    watcher.look(Instant::now());
    assert_eq!(third.recv().unwrap().unwrap(), byte_tally("ab"));
    assert_eq!(pool.metrics().snapshot().detached_workers, 1);
    gate.go_other.send(()).unwrap();
    assert_eq!(pool.shutdown(LONG).await.left, 0);
}

#[tokio::test]
async fn a_worker_that_was_not_replaced_goes_on_when_it_comes_back() {
    let (counter, gate) = gated();
    let (pool, mut watcher) = watched(counter);
    for text in [STOP, OTHER_STOP] {
        let results = submit(&pool, text);
        gate.began.recv().unwrap();
        watcher.look(too_late());
        assert!(is_hung(&results.recv().unwrap()));
    }
    let waiting = submit(&pool, "ab");
    drop(gate);
    assert_eq!(waiting.recv().unwrap().unwrap(), byte_tally("ab"));
    while pool.metrics().snapshot().detached_workers > 0 {
        std::thread::yield_now();
    }
    let again = submit(&pool, STOP);
    assert_eq!(again.recv().unwrap().unwrap(), byte_tally(STOP), "what came back may be counted");
    assert_eq!(pool.shutdown(LONG).await, ShutdownReport { counted: 0, left: 0, detached: 0 });
}

#[test]
fn a_long_text_may_take_longer() {
    let (counter, gate) = gated();
    let (pool, mut watcher) = watched(counter);
    let text = format!("{STOP}{}", "x".repeat(3 * PART_BYTES - STOP.len() - "user".len()));
    let results = submit(&pool, &text);
    gate.began.recv().unwrap();
    watcher.look(Instant::now() + 2 * DEFAULT_HUNG_AFTER);
    assert!(results.try_recv().is_err(), "it has three times as long");
    watcher.look(Instant::now() + 4 * DEFAULT_HUNG_AFTER);
    assert!(is_hung(&results.recv().unwrap()));
    drop(gate);
}

#[test]
fn a_part_that_hangs_ends_its_job() {
    let (mut counter, gate) = gated();
    counter.cuts = true;
    let (pool, mut watcher) = watched(counter);
    let text = format!("{}{STOP}", "x".repeat(PART_BYTES - "user".len()));
    let results = submit(&pool, &text);
    gate.began.recv().unwrap();
    watcher.look(too_late());
    assert!(is_hung(&results.recv().unwrap()));
    assert_eq!(pool.metrics().snapshot().in_hand, 0);
    drop(gate);
}

#[tokio::test]
async fn a_warm_up_that_hangs_costs_a_thread_and_no_job() {
    let (starts, began) = channel();
    let (go, until) = channel::<()>();
    let (starts, until) = (Mutex::new(starts), Mutex::new(until));
    let mut counter = mock();
    counter.expect_count().withf(|text| text == "a").returning(move |_| {
        starts.lock().unwrap().send(()).ok();
        until.lock().unwrap().recv().ok();
        Ok(1)
    });
    counter.expect_count().returning(|text| Ok(text.len()));
    let (pool, mut workers) =
        AsyncTokenCounter::builder(Arc::new(counter)).workers(1).unspawned().unwrap();
    let worker = workers.remove(0);
    let thread = crate::sync::thread::spawn(move || worker.run());
    pool.pool().threads.keep(0, thread);
    began.recv().unwrap();
    let results = submit(&pool, "ab");
    let mut watcher = Watcher::new(Arc::clone(pool.shared()), Arc::clone(&pool.pool().threads));
    watcher.look(too_late());
    assert_eq!(results.recv().unwrap().unwrap(), byte_tally("ab"));
    drop(go);
    assert_eq!(pool.shutdown(LONG).await.left, 0);
}

#[test]
fn the_watcher_of_a_pool_finds_what_hangs() {
    let (counter, gate) = gated();
    let pool = builder(counter).hung_after(Duration::from_millis(1)).build().unwrap();
    let results = submit(&pool, STOP);
    let error = results.recv().unwrap().unwrap_err();
    assert!(matches!(&error, CountError::Failed { source, .. } if source.is::<HungCount>()));
    drop(gate);
}
