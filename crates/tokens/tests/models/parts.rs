//! Long texts whose parts several workers count.

use shuttle::future::block_on;
use shuttle::thread;

use crate::explore::explore;
use crate::jobs::{Answers, Bytes, pool};
use crate::pool::PART_BYTES;
use crate::sync::{ANY, NEVER};

#[test]
fn the_parts_add_up_whoever_counts_them() {
    explore(|| {
        let answers = Answers::default();
        let pool = pool(&Bytes::new(true), 2, 4);
        let text = "x".repeat(2 * PART_BYTES + 1);
        assert!(answers.submit_text(&pool, Some(&text)));
        assert!(answers.submit(&pool));
        block_on(pool.wait_idle());
        assert_eq!(answers.sums().counted, 2);
        block_on(pool.shutdown(NEVER));
        let snapshot = pool.metrics().snapshot();
        assert_eq!((snapshot.succeeded, snapshot.count.count, snapshot.in_hand), (2, 2, 0));
    });
}

#[test]
fn a_long_text_has_one_answer_wherever_the_end_comes() {
    explore(|| {
        let answers = Answers::default();
        let pool = pool(&Bytes::new(true), 2, 4);
        let text = "x".repeat(PART_BYTES + 1);
        let submitter = {
            let (pool, answers, text) = (pool.clone(), answers.clone(), text.clone());
            thread::spawn(move || answers.submit_text(&pool, Some(&text)))
        };
        assert!(answers.submit_text(&pool, Some(&text)));
        let report = block_on(pool.shutdown(ANY));
        let taken = submitter.join().unwrap();
        block_on(pool.shutdown(NEVER));
        let sums = answers.sums();
        assert!(sums.is_whole() && sums.jobs == 1 + u64::from(taken), "{sums:?}");
        assert!(report.left <= sums.left);
        assert!(pool.is_idle());
        let snapshot = pool.metrics().snapshot();
        assert_eq!((snapshot.queue_depth, snapshot.in_hand), (0, 0));
    });
}

#[test]
fn whoever_leaves_a_long_count_leaves_nothing_behind() {
    explore(|| {
        let pool = pool(&Bytes::new(true), 2, 2);
        let text = "x".repeat(PART_BYTES + 1);
        match block_on(pool.count(text.as_str(), ANY)) {
            Ok(tokens) => assert_eq!(tokens, text.len() as u64),
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        block_on(pool.wait_idle());
        assert!(pool.reserve().is_ok());
        block_on(pool.shutdown(NEVER));
        assert_eq!(pool.metrics().snapshot().in_hand, 0);
    });
}
