//! A fault costs one result.

use super::*;
use crate::pool::DEFAULT_DEADLINE;

/// Fails at `fail`, panics at `panic`, and counts bytes otherwise.
pub(super) fn faulty() -> MockCounter {
    // One expectation each: a mock's panic breaks the expectation that it happened in.
    let mut counter = mock();
    counter.expect_count().withf(|text| text == "fail").returning(|_| Err(failure()));
    counter.expect_count().withf(|text| text == "panic").returning(|_| panic!("it broke"));
    counter.expect_count().returning(|text| Ok(text.len()));
    counter
}

#[tokio::test]
async fn a_counter_that_fails_or_panics_costs_one_result() {
    let pool = builder(faulty()).build().unwrap();
    for _ in 0..3 {
        let error = pool.count("panic", DEFAULT_DEADLINE).await.unwrap_err();
        assert!(matches!(error, CountError::Panicked { .. }), "{error}");
        let error = pool.count("fail", DEFAULT_DEADLINE).await.unwrap_err();
        assert!(matches!(error, CountError::Failed { .. }), "{error}");
        assert_eq!(pool.count("fine", DEFAULT_DEADLINE).await.unwrap(), 4);
    }
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.failed, snapshot.panicked, snapshot.succeeded), (3, 3, 3));
    assert_eq!((snapshot.in_hand, snapshot.timed, snapshot.bytes), (0, 9, 12));
}

#[test]
fn a_callback_that_panics_costs_nothing_else() {
    let (pool, worker) = stepped(builder(bytes()).capacity(1));
    pool.submit(Job::text("x", |_counted| panic!("the callback broke"))).unwrap();
    assert!(worker.step());
    assert!(pool.is_idle());
    let (job, results) = job("y");
    pool.submit(job).expect("its place is free again");
    worker.step();
    assert_eq!(results.recv().unwrap().unwrap(), byte_tally("y"));
}

#[tokio::test]
async fn a_warm_up_that_fails_is_over_and_leaves_the_pool_cold() {
    for broken in ["fail", "panic"] {
        let mut counter = mock();
        counter.expect_count().withf(|text| text == "x").returning(|_| Ok(1));
        counter.expect_count().returning(move |_| match broken {
            "fail" => Err(failure()),
            _ => panic!("it broke"),
        });
        let pool = AsyncTokenCounter::builder(Arc::new(counter)).workers(1).build().unwrap();
        assert!(!pool.warmed().await, "{broken}");
        assert_eq!(pool.count("x", DEFAULT_DEADLINE).await.unwrap(), 1, "{broken}");
        assert!(pool.is_warm(), "what has counted is warm");
    }
}
