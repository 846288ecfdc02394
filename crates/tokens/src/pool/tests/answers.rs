//! Every job gets its one answer.

use std::time::Duration;

use memory_core::{FinalReason, Framing, ImageDetail, Limits, Role, TextCount};

use super::*;
use crate::pool::DEFAULT_DEADLINE;

#[test]
fn a_message_is_counted_text_by_text_under_the_framing() {
    let mut counter = mock();
    for (text, tokens) in [("user", 1), ("two words", 2)] {
        counter
            .expect_count()
            .withf(move |counted| counted == text)
            .times(1)
            .returning(move |_| Ok(tokens));
    }
    let (pool, worker) = stepped(builder(counter).framing(Framing::openai_chat_1()));
    let (job, results) = job("two words");
    pool.submit(job).unwrap();
    assert!(results.try_recv().is_err(), "submitting does not count");
    assert!(worker.step());
    assert_eq!(results.try_recv().unwrap().unwrap(), Tally::exact(3 + 1 + 2));
    assert!(!worker.step(), "there was one job only");
    assert!(results.recv().is_err(), "and one answer");
}

#[test]
fn a_text_is_counted_by_itself() {
    let (pool, worker) = stepped(builder(bytes()));
    let (sender, results) = channel();
    let job = Job::text("seven..", move |counted| sender.send(counted.result).unwrap());
    pool.submit(job.conversation(7)).unwrap();
    worker.step();
    assert_eq!(results.recv().unwrap().unwrap(), Tally::exact(7));
}

/// Counts bytes, as a fallback for another counter.
#[derive(Debug)]
struct Standby(CounterId);

impl TokenCounter for Standby {
    fn id(&self) -> &CounterId {
        &self.0
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        Ok(text.len())
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        Ok(TextCount::by_fallback(text.len() as u64))
    }
}

#[test]
fn what_a_fallback_counted_is_final_because_of_it() {
    let counter = Arc::new(Standby(CounterId::new("standby").unwrap()));
    let builder = AsyncTokenCounter::builder(counter).warm_up(false);
    let (pool, worker) = stepped(builder);
    let (sender, results) = channel();
    let again = sender.clone();
    let text = Job::text("seven..", move |counted| sender.send(counted.result).unwrap());
    pool.submit(text).unwrap();
    let message = Message::user("seven..");
    pool.submit(Job::message(message, move |counted| again.send(counted.result).unwrap())).unwrap();
    for tokens in [7, 3 + 4 + 7] {
        worker.step();
        let expected = Tally::final_because(tokens, FinalReason::Fallback);
        assert_eq!(results.recv().unwrap().unwrap(), expected);
    }
}

#[test]
fn media_make_a_tally_final() {
    let (pool, worker) = stepped(builder(bytes()));
    let message = Message::builder(Role::User)
        .image_part("https://example.com/a.png", ImageDetail::Low)
        .build(&Limits::default())
        .unwrap();
    let (sender, results) = channel();
    pool.submit(Job::message(message, move |counted| sender.send(counted.result).unwrap()))
        .unwrap();
    worker.step();
    let expected = Tally::final_because(3 + 4 + 85, FinalReason::Media);
    assert_eq!(results.recv().unwrap().unwrap(), expected);
}

#[test]
fn jobs_are_counted_in_the_order_they_came() {
    let (pool, worker) = stepped(builder(bytes()));
    let results: Vec<_> = ["a", "bb", "ccc"]
        .map(|text| {
            let (job, results) = job(text);
            pool.submit(job).unwrap();
            results
        })
        .into();
    for (results, text) in results.iter().zip(["a", "bb", "ccc"]) {
        worker.step();
        assert_eq!(results.try_recv().unwrap().unwrap(), byte_tally(text));
    }
}

#[tokio::test]
async fn awaited_counts_come_from_the_workers() {
    let pool = builder(bytes()).workers(2).build().unwrap();
    let message = Message::user("abc");
    assert_eq!(pool.tally(&message, DEFAULT_DEADLINE).await.unwrap(), byte_tally("abc"));
    assert_eq!(pool.count("abcde", DEFAULT_DEADLINE).await.unwrap(), 5);
    pool.wait_idle().await;
    assert!(pool.is_idle());
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.submitted, snapshot.succeeded, snapshot.timed), (2, 2, 2));
    assert_eq!((snapshot.bytes, snapshot.tokens), (4 + 3 + 5, 10 + 5));
    assert_eq!((snapshot.queue_depth, snapshot.in_hand), (0, 0));
}

#[tokio::test]
async fn one_place_serves_one_awaited_count_after_the_other() {
    let pool = builder(bytes()).capacity(1).build().unwrap();
    for _ in 0..100 {
        assert_eq!(pool.count("ab", DEFAULT_DEADLINE).await.unwrap(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_not_ready_by_its_deadline_is_an_error() {
    let (counter, gate) = gated();
    let pool = builder(counter).build().unwrap();
    let deadline = Duration::from_millis(1500);
    let error = pool.count(STOP, deadline).await.unwrap_err();
    assert!(matches!(error, CountError::DeadlineExceeded { milliseconds: 1500 }), "{error}");
    drop(gate);
    pool.wait_idle().await;
}

#[tokio::test(start_paused = true)]
async fn what_nobody_waits_for_is_not_counted() {
    let mut counter = mock();
    counter.expect_count().never();
    let (pool, worker) = stepped(builder(counter));
    let message = Message::user("late");
    assert!(pool.tally(&message, Duration::from_secs(1)).await.is_err());
    assert!(!worker.step());
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.submitted, snapshot.abandoned, snapshot.timed), (1, 1, 0));
    assert!(pool.is_idle());
}

#[tokio::test]
async fn idle_means_that_nothing_is_queued_or_in_hand() {
    let (pool, worker) = stepped(builder(bytes()));
    assert!(pool.is_idle());
    let (inner, seen) = (pool.clone(), channel());
    pool.submit(Job::text("x", move |counted| {
        seen.0.send((inner.is_idle(), counted.result.is_ok())).unwrap();
    }))
    .unwrap();
    assert!(!pool.is_idle());
    let mut waiting = Box::pin(pool.wait_idle());
    assert!(tokio::time::timeout(Duration::ZERO, &mut waiting).await.is_err());
    worker.step();
    waiting.await;
    assert_eq!(seen.1.recv().unwrap(), (false, true), "its callback had not returned yet");
}

#[test]
fn estimates_and_bounds_need_no_worker() {
    let mut counter = mock();
    counter.expect_upper_bound().returning(|text| (text != "no bound").then_some(text.len()));
    counter.expect_count().never();
    let (pool, _worker) = stepped(builder(counter));
    let message = Message::user("Where is the harbour?");
    assert!(pool.estimate(&message).is_pending());
    assert_eq!(pool.upper_bound(&message), Some(3 + 4 + 21));
    assert_eq!(pool.upper_bound(&Message::user("no bound")), None);
    assert_eq!(pool.counter_id().as_str(), "mock");
    assert_eq!(pool.tally_id().as_str(), "mock/openai-chat-1");
    assert_eq!(pool.framing(), &Framing::openai_chat_1());
}

#[tokio::test]
async fn the_warm_up_counts_on_a_worker_before_any_job() {
    let (sender, threads) = channel();
    let sender = Mutex::new(sender);
    let mut counter = mock();
    counter.expect_count().returning(move |text| {
        let name = std::thread::current().name().map(str::to_owned);
        sender.lock().unwrap().send(name).ok();
        Ok(text.len())
    });
    let pool = AsyncTokenCounter::builder(Arc::new(counter)).workers(1).build().unwrap();
    assert!(pool.warmed().await);
    assert_eq!(threads.recv().unwrap().as_deref(), Some("turnledger-count-0"));
    assert_eq!(pool.metrics().snapshot().timed, 0, "a warm-up is no job");
    assert!(pool.is_idle());
}

#[tokio::test]
async fn a_service_is_asked_for_no_samples() {
    let mut counter = MockCounter::new();
    counter.expect_id().return_const(CounterId::new("service").unwrap());
    counter.expect_inline_safe().return_const(false);
    counter.expect_is_cpu_bound().return_const(false);
    counter.expect_count().times(1).returning(|text| Ok(text.len()));
    let pool = AsyncTokenCounter::builder(Arc::new(counter)).workers(1).build().unwrap();
    assert!(!pool.warmed().await, "it has counted nothing yet");
    let (sender, results) = channel();
    pool.submit(Job::text("seven..", move |counted| sender.send(counted.result).unwrap())).unwrap();
    assert_eq!(results.recv().unwrap().unwrap(), Tally::exact(7));
}
