//! Long texts are cut, counted by several workers, and given up between the cuts.

use std::time::Duration;

use memory_core::{FinalReason, TextCount};
use proptest::prelude::*;

use super::*;
use crate::BpeCounter;
use crate::pool::job::Work;
use crate::pool::parts::cut;
use crate::pool::{DEFAULT_DEADLINE, PART_BYTES};

/// Counts bytes, and can be cut anywhere; expects so many counts.
fn cuttable(counts: usize) -> MockCounter {
    let mut counter = mock();
    counter.expect_safe_cut().returning(|text, near| (near < text.len()).then_some(near));
    counter.expect_count().times(counts).returning(|text| Ok(text.len()));
    counter
}

fn long(parts: usize) -> Arc<str> {
    "x".repeat(parts * PART_BYTES).into()
}

#[test]
fn the_parts_of_a_long_text_go_to_several_workers() {
    let (pool, [one, other]) = stepped_by_two(builder(cuttable(5)));
    let (sender, results) = channel();
    pool.submit(Job::text_to(format!("{}end", long(4)), (), sender)).unwrap();
    for worker in [&one, &other, &other, &one] {
        assert!(worker.step());
        assert!(results.try_recv().is_err(), "a part is missing");
    }
    assert!(other.step());
    let tally = results.try_recv().unwrap().1.result.unwrap();
    assert_eq!(tally, Tally::exact(4 * PART_BYTES as u64 + 3));
    assert!(!one.step());
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.succeeded, snapshot.timed, snapshot.in_hand), (1, 1, 0));
    assert_eq!(snapshot.bytes, 4 * PART_BYTES as u64 + 3);
}

#[test]
fn a_text_without_a_safe_place_is_counted_in_one_piece() {
    let mut counter = mock();
    counter.expect_safe_cut().returning(|_, _| None);
    counter.expect_count().times(1).returning(|text| Ok(text.len()));
    let (pool, worker) = stepped(builder(counter));
    let (sender, results) = channel();
    pool.submit(Job::text_to(long(3), (), sender)).unwrap();
    assert!(worker.step());
    assert_eq!(results.try_recv().unwrap().1.result.unwrap().tokens, 3 * PART_BYTES as u64);
}

#[test]
fn a_text_of_one_parts_length_is_not_cut() {
    let mut counter = mock();
    counter.expect_safe_cut().never();
    counter.expect_count().times(1).returning(|text| Ok(text.len()));
    let (pool, worker) = stepped(builder(counter));
    let (sender, results) = channel();
    pool.submit(Job::text_to(long(1), (), sender)).unwrap();
    assert!(worker.step());
    assert!(results.try_recv().unwrap().1.result.is_ok());
}

#[test]
fn a_counter_that_cuts_wrongly_or_panics_is_not_believed() {
    let check = |cut: fn(&str, usize) -> Option<usize>, parts: usize| {
        let mut counter = mock();
        counter.expect_safe_cut().returning(cut);
        counter.expect_count().returning(|text| Ok(text.len()));
        let (pool, worker) = stepped(builder(counter));
        let (sender, results) = channel();
        let text = "é".repeat(PART_BYTES);
        pool.submit(Job::text_to(text, (), sender)).unwrap();
        for _ in 0..parts {
            assert!(worker.step());
        }
        let tally = results.try_recv().unwrap().1.result.unwrap();
        assert_eq!(tally, Tally::exact(2 * PART_BYTES as u64));
    };
    check(|_, _| Some(0), 1);
    check(|text, _| Some(text.len()), 1);
    check(|_, _| Some(usize::MAX), 1);
    check(|_, near| Some(near + 1), 1);
    check(|_, _| panic!("no place"), 1);
    check(|_, near| Some(near), 2);
}

#[test]
fn a_message_is_cut_across_its_texts() {
    let (pool, worker) = stepped(builder(cuttable(4)));
    let (long, results) = job(&"y".repeat(2 * PART_BYTES));
    pool.submit(long).unwrap();
    // The role and the first text, a part of the text, its rest.
    for _ in 0..3 {
        assert!(worker.step());
    }
    assert_eq!(results.try_recv().unwrap().unwrap(), byte_tally(&"y".repeat(2 * PART_BYTES)));
}

#[test]
fn one_part_that_a_fallback_counted_makes_the_tally_final() {
    let mut counter = Fallback { inner: mock() };
    counter.inner.expect_safe_cut().returning(|text, near| (near < text.len()).then_some(near));
    let (pool, mut workers) = AsyncTokenCounter::builder(Arc::new(counter))
        .workers(1)
        .warm_up(false)
        .unspawned()
        .unwrap();
    let worker = workers.remove(0);
    let (sender, results) = channel();
    pool.submit(Job::text_to(format!("{}end", long(1)), (), sender)).unwrap();
    while worker.step() {}
    let tokens = PART_BYTES as u64 + 3;
    let expected = Tally::final_because(tokens, FinalReason::Fallback);
    assert_eq!(results.try_recv().unwrap().1.result.unwrap(), expected);
}

/// Counts bytes; those of short texts by a fallback.
#[derive(Debug)]
struct Fallback {
    inner: MockCounter,
}

impl TokenCounter for Fallback {
    fn id(&self) -> &CounterId {
        self.inner.id()
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        Ok(text.len())
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        let tokens = text.len() as u64;
        let is_short = text.len() < 10;
        Ok(if is_short { TextCount::by_fallback(tokens) } else { tokens.into() })
    }

    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        self.inner.safe_cut(text, near)
    }
}

#[test]
fn a_part_that_fails_fails_the_job_and_no_part_is_counted_after_it() {
    let mut counter = mock();
    counter.expect_safe_cut().returning(|text, near| (near < text.len()).then_some(near));
    counter.expect_count().times(1).returning(|text| Ok(text.len()));
    counter.expect_count().times(1).returning(|_| Err(failure()));
    let (pool, worker) = stepped(builder(counter));
    let (sender, results) = channel();
    pool.submit(Job::text_to(long(4), (), sender)).unwrap();
    while worker.step() {}
    assert!(results.try_recv().unwrap().1.result.is_err());
    assert!(pool.is_idle());
    assert_eq!(pool.metrics().snapshot().in_hand, 0);
}

#[tokio::test(start_paused = true)]
async fn a_long_count_ends_with_its_deadline() {
    let (pool, worker) = stepped(builder(cuttable(1)));
    let mut counting = Box::pin(pool.count(long(8), Duration::from_secs(1)));
    assert!(tokio::time::timeout(Duration::ZERO, &mut counting).await.is_err());
    assert!(worker.step(), "one part was counted before");
    assert!(matches!(counting.await, Err(CountError::DeadlineExceeded { .. })));
    assert!(!worker.step(), "and none after");
    assert_eq!(pool.metrics().snapshot().abandoned, 1);
    assert!(pool.is_idle());
}

#[tokio::test]
async fn a_long_count_ends_with_its_future() {
    let (pool, worker) = stepped(builder(cuttable(2)));
    let mut counting = Box::pin(pool.count(long(8), DEFAULT_DEADLINE));
    assert!(tokio::time::timeout(Duration::ZERO, &mut counting).await.is_err());
    assert!(worker.step() && worker.step());
    drop(counting);
    assert!(!worker.step());
    assert_eq!(pool.metrics().snapshot().in_hand, 0);
}

#[tokio::test]
async fn a_long_count_ends_with_the_pool() {
    let (pool, worker) = stepped(builder(cuttable(1)));
    let (sender, results) = channel();
    pool.submit(Job::text_to(long(8), (), sender)).unwrap();
    assert!(worker.step());
    let report = pool.shutdown(Duration::ZERO).await;
    assert_eq!(report.left, 1);
    assert!(matches!(results.try_recv().unwrap().1.result, Err(CountError::ShutDown)));
    assert!(!worker.step());
    let snapshot = pool.metrics().snapshot();
    assert_eq!((snapshot.in_hand, snapshot.queue_depth), (0, 0));
}

/// Lines of different lengths and scripts, some of them longer than a part.
fn texts() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        8 => "[a-z]{0,12}( [A-Za-z'0-9.,]{1,9}){0,12}",
        2 => "[ \t]{0,4}[{}()/_=-]{0,8}",
        2 => "[а-яё一-龥]{0,20}",
        1 => Just("\r".to_owned()),
    ];
    let lines = proptest::collection::vec(line, 1..200);
    (lines, 1..40_usize, any::<bool>()).prop_map(|(lines, times, is_cut)| {
        let text = lines.join("\n").repeat(times);
        // Without newlines there is no place to cut.
        if is_cut { text } else { text.replace('\n', " ") }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_counts_of_the_parts_add_up_to_the_count_of_the_whole(text in texts()) {
        for counter in [BpeCounter::o200k_base(), BpeCounter::cl100k_base()] {
            let work = Work::Text(text.as_str().into());
            let parts = cut(&work, &counter);
            let whole: String = parts.iter().flat_map(|part| part.texts(&work)).collect();
            prop_assert_eq!(&whole, &text);
            let counts = parts.iter().flat_map(|part| part.texts(&work));
            let sum: usize = counts.map(|text| counter.count(text).unwrap()).sum();
            prop_assert_eq!(sum, counter.count(&text).unwrap());
        }
    }
}

#[tokio::test]
async fn a_pool_counts_a_long_text_as_its_counter_does() {
    let counter = BpeCounter::o200k_base();
    let text = "The ferry left at 9:15.\nfn main() { println!(\"καλημέρα\"); }\n\n".repeat(4000);
    let expected = counter.count(&text).unwrap() as u64;
    let pool = AsyncTokenCounter::builder(Arc::new(counter)).workers(2).build().unwrap();
    assert_eq!(pool.count(text.as_str(), Duration::from_mins(5)).await.unwrap(), expected);
    let message = Message::user(text.as_str());
    let tally = pool.tally(&message, Duration::from_mins(5)).await.unwrap();
    assert_eq!(tally, Tally::exact(3 + 1 + expected));
}
