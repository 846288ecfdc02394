//! How many threads there are, and how they run.

use std::time::Duration;

use super::*;
use crate::error::BuildError;
use crate::pool::DEFAULT_MAX_WORKERS;

#[test]
fn only_a_counter_that_waits_has_more_workers_than_there_are_cores() {
    let check = |is_cpu_bound: bool, expected: usize| {
        let mut counter = MockCounter::new();
        counter.expect_id().return_const(CounterId::new("mock").unwrap());
        counter.expect_inline_safe().return_const(false);
        counter.expect_is_cpu_bound().return_const(is_cpu_bound);
        let (_pool, workers) = AsyncTokenCounter::builder(Arc::new(counter)).unspawned().unwrap();
        assert_eq!(workers.len(), expected);
    };
    let cores = std::thread::available_parallelism().unwrap().get();
    check(true, cores.min(DEFAULT_MAX_WORKERS));
    check(false, DEFAULT_MAX_WORKERS);
}

#[cfg(target_os = "linux")]
#[test]
fn workers_give_way_to_others_unless_they_are_told_not_to() {
    let niceness = || rustix::process::getpriority_process(None).unwrap();
    let check = |low_priority: bool, nicer: i32| {
        let (sender, seen) = channel();
        let sender = Mutex::new(sender);
        let mut counter = mock();
        counter.expect_count().returning(move |text| {
            sender.lock().unwrap().send(niceness()).ok();
            Ok(text.len())
        });
        let pool = builder(counter).low_priority(low_priority).build().unwrap();
        let (job, results) = job("x");
        pool.submit(job).unwrap();
        results.recv().unwrap().unwrap();
        assert_eq!(seen.recv().unwrap(), (niceness() + nicer).min(19));
    };
    check(false, 0);
    check(true, crate::pool::priority::NICER);
}

#[test]
fn no_time_is_no_bound_for_a_count() {
    let error = builder(bytes()).hung_after(Duration::ZERO).build().unwrap_err();
    assert!(matches!(error, BuildError::HungAfter), "{error}");
}

#[tokio::test]
async fn all_threads_are_named_and_joined() {
    let (sender, names) = channel();
    let sender = Mutex::new(sender);
    let mut counter = mock();
    counter.expect_count().returning(move |text| {
        let name = std::thread::current().name().map(str::to_owned);
        sender.lock().unwrap().send(name).ok();
        Ok(text.len())
    });
    let pool = builder(counter).workers(3).build().unwrap();
    for number in 0..20 {
        pool.count(format!("{number}"), Duration::from_mins(1)).await.unwrap();
    }
    let report = pool.shutdown(Duration::from_mins(1)).await;
    assert_eq!((report.left, report.detached), (0, 0));
    let shared = Arc::clone(pool.shared());
    drop(pool);
    assert_eq!(Arc::strong_count(&shared), 1, "no thread holds anything any more");
    for name in names.try_iter() {
        assert!(name.unwrap().starts_with("turnledger-count-"));
    }
}
