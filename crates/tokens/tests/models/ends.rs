//! Pools whose last handle is dropped.

use std::sync::Arc;

use shuttle::thread;

use crate::explore::explore;
use crate::jobs::{Answers, Bytes, pool};

#[test]
fn dropping_the_last_handle_answers_every_job_and_ends_the_threads() {
    explore(|| {
        let answers = Answers::default();
        let counter = Bytes::new(true);
        let pool = pool(&counter, 2, 4);
        let submitter = {
            let (pool, answers) = (pool.clone(), answers.clone());
            thread::spawn(move || (0..2).for_each(|_| assert!(answers.submit(&pool))))
        };
        assert!(answers.submit(&pool));
        drop(pool);
        submitter.join().unwrap();
        // The threads hold the counter; each gives it up when it ends.
        while Arc::strong_count(&counter) > 1 {
            thread::yield_now();
        }
        let sums = answers.sums();
        assert!(sums.is_whole() && sums.jobs == 3, "{sums:?}");
    });
}
