//! Texts that are counted once for several jobs.

use shuttle::future::block_on;
use shuttle::thread;

use crate::explore::explore;
use crate::jobs::{Answers, Bytes, pool};
use crate::sync::{ANY, NEVER};

#[test]
fn whoever_shares_a_count_has_one_answer() {
    explore(|| {
        let answers = Answers::default();
        let pool = pool(&Bytes::new(true), 2, 4);
        let submitter = {
            let (pool, answers) = (pool.clone(), answers.clone());
            thread::spawn(move || {
                (0..2).for_each(|_| assert!(answers.submit_text(&pool, Some("same"))));
            })
        };
        assert!(answers.submit_text(&pool, Some("same")));
        assert!(answers.submit(&pool));
        submitter.join().unwrap();
        block_on(pool.wait_idle());
        let sums = answers.sums();
        assert_eq!((sums.jobs, sums.counted), (4, 4));
        block_on(pool.shutdown(NEVER));
        let snapshot = pool.metrics().snapshot();
        assert_eq!(snapshot.succeeded, 4);
        assert_eq!(snapshot.count.count + snapshot.shared, 4, "{snapshot:?}");
        assert_eq!((snapshot.queue_depth, snapshot.in_hand), (0, 0));
    });
}

#[test]
fn whoever_shares_a_count_has_one_answer_at_the_end_too() {
    explore(|| {
        let answers = Answers::default();
        let pool = pool(&Bytes::new(true), 2, 4);
        for _ in 0..3 {
            assert!(answers.submit_text(&pool, Some("same")));
        }
        let report = block_on(pool.shutdown(ANY));
        block_on(pool.shutdown(NEVER));
        let sums = answers.sums();
        assert!(sums.is_whole() && sums.jobs == 3, "{sums:?}");
        assert_eq!(report.left, sums.left);
        assert!(pool.is_idle());
    });
}
