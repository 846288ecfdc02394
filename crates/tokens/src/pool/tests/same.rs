//! The same texts in flight are counted once.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::pool::DEFAULT_DEADLINE;

/// A counter of bytes that counts each of its calls for this text.
fn calls_for(text: &'static str) -> (MockCounter, Arc<AtomicUsize>) {
    let (calls, mut counter) = (Arc::new(AtomicUsize::new(0)), mock());
    let more = Arc::clone(&calls);
    counter.expect_count().returning(move |asked| {
        more.fetch_add(usize::from(asked == text), Ordering::SeqCst);
        Ok(asked.len())
    });
    (counter, calls)
}

#[test]
fn the_same_text_in_the_queue_is_counted_once_for_all() {
    let (counter, calls) = calls_for("the same");
    let (pool, worker) = stepped(builder(counter));
    let results: Vec<_> = (0..5)
        .map(|conversation| {
            let (job, results) = job("the same");
            pool.submit(job.conversation(conversation)).unwrap();
            results
        })
        .collect();
    let (other, other_results) = job("another");
    pool.submit(other).unwrap();
    assert!(worker.step());
    for results in results {
        assert_eq!(results.try_recv().unwrap().unwrap(), byte_tally("the same"));
        assert!(results.try_recv().is_err(), "one answer each");
    }
    assert!(worker.step());
    assert_eq!(other_results.try_recv().unwrap().unwrap(), byte_tally("another"));
    assert!(!worker.step());
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.submitted, snapshot.succeeded, snapshot.shared), (6, 6, 4));
    assert_eq!((snapshot.bytes, snapshot.count.count), ((4 + 8) + (4 + 7), 2));
    assert_eq!((snapshot.wait.count, snapshot.estimate_error.count), (6, 2));
    assert_eq!((snapshot.queue_depth, snapshot.in_hand), (0, 0));
}

#[test]
fn texts_that_differ_are_not_the_same() {
    let (pool, worker) = stepped(builder(bytes()));
    let long = |middle: char| {
        let half = "x".repeat(1000);
        format!("{half}{half}{middle}{half}")
    };
    // The last two differ where no sample is taken.
    let texts = ["a".to_owned(), "b".to_owned(), String::new(), long('y'), long('z')];
    let results: Vec<_> = texts
        .iter()
        .map(|text| {
            let (job, results) = job(text);
            pool.submit(job).unwrap();
            results
        })
        .collect();
    let (sender, text_results) = channel();
    pool.submit(Job::text("a", move |counted| sender.send(counted.result).unwrap())).unwrap();
    let (named, named_results) = channel();
    let with_name = Message::builder(memory_core::Role::User)
        .text("a")
        .name("b")
        .build(&memory_core::Limits::default());
    pool.submit(Job::message_to(with_name.unwrap(), (), named)).unwrap();
    while worker.step() {}
    for (text, results) in texts.iter().zip(results) {
        assert_eq!(results.try_recv().unwrap().unwrap(), byte_tally(text));
    }
    assert_eq!(text_results.try_recv().unwrap().unwrap(), Tally::exact(1));
    let tally = named_results.try_recv().unwrap().1.result.unwrap();
    assert_eq!(tally.tokens, byte_tally("a").tokens + 1 + 1);
    assert_eq!(pool.metrics().snapshot().shared, 0);
}

#[test]
fn a_text_that_is_being_counted_is_not_counted_again() {
    let (counter, gate) = gated();
    let (pool, [one, other]) = stepped_by_two(builder(counter));
    let (first, first_result) = job(STOP);
    pool.submit(first).unwrap();
    std::thread::scope(|scope| {
        let counting = scope.spawn(move || one.step());
        gate.began.recv().unwrap();
        let (second, second_result) = job(STOP);
        pool.submit(second).unwrap();
        assert!(!other.step(), "there is nothing to count");
        assert_eq!(pool.metrics().snapshot().in_hand, 2);
        assert!(second_result.try_recv().is_err());
        gate.go.send(()).unwrap();
        assert!(counting.join().unwrap());
        assert_eq!(first_result.try_recv().unwrap().unwrap(), byte_tally(STOP));
        assert_eq!(second_result.try_recv().unwrap().unwrap(), byte_tally(STOP));
    });
    assert_eq!(pool.metrics().snapshot().in_hand, 0);
}

#[test]
fn a_failure_is_one_jobs_and_the_others_are_counted_anew() {
    let mut counter = mock();
    counter.expect_count().withf(|text| text == "same").times(1).returning(|_| panic!("once"));
    counter.expect_count().withf(|text| text == "same").times(1).returning(|_| Err(failure()));
    counter.expect_count().returning(|text| Ok(text.len()));
    let (pool, worker) = stepped(builder(counter));
    let results: Vec<_> = (0..4)
        .map(|_| {
            let (job, results) = job("same");
            pool.submit(job).unwrap();
            results
        })
        .collect();
    while worker.step() {}
    let answers: Vec<_> = results.iter().map(|results| results.try_recv().unwrap()).collect();
    assert!(matches!(answers[0], Err(CountError::Panicked { .. })));
    assert!(matches!(answers[1], Err(CountError::Failed { .. })));
    for answer in &answers[2..] {
        assert_eq!(answer.as_ref().unwrap(), &byte_tally("same"));
    }
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.panicked, snapshot.failed, snapshot.succeeded), (1, 1, 2));
    assert_eq!((snapshot.queue_depth, snapshot.in_hand), (0, 0));
}

#[tokio::test]
async fn a_job_of_which_nobody_waits_is_let_go_of_and_the_others_are_not() {
    let (pool, worker) = stepped(builder(bytes()));
    let message = Message::user("x");
    let mut left = Box::pin(pool.tally(&message, DEFAULT_DEADLINE));
    assert!(futures_pending(&mut left).await);
    let (kept, results) = job("x");
    pool.submit(kept).unwrap();
    drop(left);
    assert!(worker.step());
    assert_eq!(results.try_recv().unwrap().unwrap(), byte_tally("x"));
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.abandoned, snapshot.succeeded, snapshot.shared), (1, 1, 0));
    assert!(pool.is_idle());
}

async fn futures_pending<F: Future + Unpin>(future: &mut F) -> bool {
    let mut future = std::pin::Pin::new(future);
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(future.as_mut().poll(context).is_pending())
    })
    .await
}
