//! Counting at once.

use std::time::Duration;

use super::faults::faulty;
use super::*;
use crate::pool::INLINE_MAX_BYTES;
use crate::pool::cost::{MIN_SAMPLES, length};
use crate::pool::warm::{ROUNDS, SAMPLES};

const BUDGET: Duration = Duration::from_hours(1);

/// Teaches the pool that a count takes a microsecond for each byte, and that it is warm.
fn taught(pool: &AsyncTokenCounter) {
    for _ in 0..64 {
        pool.shared().cost.learn(1000, Duration::from_millis(1));
    }
    pool.shared().warmth.set_warm();
}

#[test]
fn a_message_within_the_budget_is_counted_on_this_thread() {
    let (pool, _worker) = stepped(builder(bytes()));
    taught(&pool);
    let message = Message::user("x".repeat(996));
    let expected = byte_tally(message.content().texts().next().unwrap());
    assert_eq!(pool.count_inline(&message, Duration::from_micros(900)), None);
    assert_eq!(pool.count_inline(&message, Duration::from_micros(1200)), Some(expected));
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.inline, snapshot.submitted, snapshot.bytes), (1, 0, 1000));
}

#[test]
fn nothing_is_counted_at_once_where_it_may_be_dear() {
    let check = |what: &str, inline_safe: bool, prepare: fn(&AsyncTokenCounter), bytes: usize| {
        let mut counter = MockCounter::new();
        counter.expect_id().return_const(CounterId::new("mock").unwrap());
        counter.expect_inline_safe().return_const(inline_safe);
        counter.expect_is_cpu_bound().return_const(true);
        counter.expect_count().never();
        let (pool, _worker) = stepped(builder(counter));
        prepare(&pool);
        let message = Message::user("x".repeat(bytes));
        assert_eq!(pool.count_inline(&message, BUDGET), None, "{what}");
    };
    check("a counter that is not safe", false, taught, 10);
    check("a message that is too long", true, taught, INLINE_MAX_BYTES - 3);
    check("a counter that is cold", true, |_| (), 10);
    check("a cost that is not known", true, |pool| pool.shared().warmth.set_warm(), 10);
    check("a pool at its end", true, |pool| (taught(pool), pool.shared().queue.drain()).1, 10);
}

#[test]
fn the_longest_text_that_is_counted_at_once_has_2048_bytes() {
    let (pool, _worker) = stepped(builder(bytes()));
    taught(&pool);
    let message = |bytes| Message::user("x".repeat(bytes - "user".len()));
    assert!(pool.count_inline(&message(INLINE_MAX_BYTES), BUDGET).is_some());
    assert!(pool.count_inline(&message(INLINE_MAX_BYTES + 1), BUDGET).is_none());
}

#[test]
fn three_failures_switch_it_off_for_good() {
    let (pool, worker) = stepped(builder(faulty()));
    taught(&pool);
    for (text, off) in [("fail", false), ("panic", false), ("fail", true)] {
        assert!(pool.count_inline(&Message::user("fine"), BUDGET).is_some());
        assert_eq!(pool.count_inline(&Message::user(text), BUDGET), None);
        assert_eq!(pool.is_inline_off(), off);
    }
    assert_eq!(pool.count_inline(&Message::user("fine"), BUDGET), None);
    let (job, results) = job("fine");
    pool.submit(job).unwrap();
    worker.step();
    assert_eq!(results.recv().unwrap().unwrap(), byte_tally("fine"), "workers go on");
    assert_eq!(pool.count_inline(&Message::user("fine"), BUDGET), None);
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.inline, snapshot.inline_failed), (3, 3));
}

#[test]
fn failures_of_workers_do_not_switch_it_off() {
    let (pool, worker) = stepped(builder(faulty()));
    taught(&pool);
    for _ in 0..5 {
        let (job, _results) = job("fail");
        pool.submit(job).unwrap();
        worker.step();
    }
    assert!(!pool.is_inline_off());
    assert!(pool.count_inline(&Message::user("fine"), BUDGET).is_some());
}

#[test]
fn workers_teach_what_a_count_costs() {
    let (pool, worker) = stepped(builder(bytes()));
    let message = Message::user("hello");
    // The first one may load a vocabulary, and teaches nothing.
    for _ in 0..65 {
        assert_eq!(pool.count_inline(&message, BUDGET), None);
        let (job, _results) = job("hello");
        pool.submit(job).unwrap();
        worker.step();
    }
    assert_eq!(pool.count_inline(&message, BUDGET), Some(byte_tally("hello")));
    assert_eq!(pool.count_inline(&message, Duration::ZERO), None);
}

/// A microsecond has gone by for this thread whenever it is asked.
fn slow_clock() -> Duration {
    thread_local!(static CALLS: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });
    CALLS.set(CALLS.get() + 1);
    Duration::from_micros(1) * CALLS.get()
}

#[test]
fn a_count_that_was_kept_from_its_processor_teaches_nothing_wrong() {
    let mut counter = mock();
    counter.expect_count().returning(|text| {
        // Time goes by, but none that the thread has used.
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_micros(200) {
            std::hint::spin_loop();
        }
        Ok(text.len())
    });
    let (pool, worker) = stepped(builder(counter).thread_time(slow_clock));
    let message = Message::user("x".repeat(60));
    for _ in 0..65 {
        let (job, _results) = job(&"x".repeat(60));
        pool.submit(job).unwrap();
        worker.step();
    }
    for _ in 0..64 {
        assert!(pool.count_inline(&message, Duration::from_micros(2)).is_some());
    }
    assert_eq!(pool.metrics().snapshot().inline, 64);
}

#[tokio::test]
async fn the_warm_up_of_the_real_counter_is_enough() {
    let counter = Arc::new(crate::BpeCounter::o200k_base());
    let pool = AsyncTokenCounter::builder(counter).workers(1).build().unwrap();
    assert!(pool.warmed().await);
    let tally = pool.count_inline(&Message::user("Hello, world!"), BUDGET);
    assert_eq!(tally, Some(Tally::exact(3 + 1 + 4)));
}

#[test]
fn the_samples_are_enough_for_the_lengths_that_chats_are_made_of() {
    let rounds = u32::try_from(ROUNDS).unwrap() - 1;
    for bytes in [1, 511] {
        let like = |sample: &&&str| length(sample.len()) == length(bytes);
        let samples = u32::try_from(SAMPLES.iter().filter(like).count()).unwrap();
        assert!(rounds * samples >= MIN_SAMPLES, "{samples} samples of about {bytes} bytes");
    }
}
