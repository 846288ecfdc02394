//! Workers that hang, are replaced, and come back.

use shuttle::future::block_on;
use shuttle::thread;

use crate::explore::explore;
use crate::jobs::{Answers, Bytes, pool};
use crate::pool::{PART_BYTES, ShutdownReport, watch};
use crate::sync::{ANY, NEVER};

#[test]
fn every_job_has_one_answer_whoever_hangs_and_comes_back() {
    explore(|| {
        let answers = Answers::default();
        let counter = Bytes::new(false);
        let pool = pool(&counter, 1, 4);
        let watcher = {
            let pool = pool.clone();
            thread::spawn(move || (0..2).for_each(|_| watch(&pool)))
        };
        let opener = thread::spawn(move || counter.open());
        for _ in 0..3 {
            assert!(answers.submit(&pool));
        }
        watcher.join().unwrap();
        opener.join().unwrap();
        block_on(pool.wait_idle());
        let sums = answers.sums();
        assert!(sums.is_whole() && sums.jobs == 3, "{sums:?}");
        assert_eq!(sums.left, pool.metrics().snapshot().failed, "what hung was told so");
        assert_eq!(block_on(pool.shutdown(NEVER)).left, 0);
        let snapshot = pool.metrics().snapshot();
        assert_eq!((snapshot.queue_depth, snapshot.in_hand), (0, 0));
    });
}

#[test]
fn a_hung_part_and_a_shutdown_answer_once() {
    explore(|| {
        let answers = Answers::default();
        let counter = Bytes::new(false);
        let pool = pool(&counter, 2, 4);
        let text = "x".repeat(PART_BYTES + 1);
        assert!(answers.submit_text(&pool, Some(&text)));
        assert!(answers.submit_text(&pool, Some(&text)));
        let watcher = {
            let pool = pool.clone();
            thread::spawn(move || watch(&pool))
        };
        let report = block_on(pool.shutdown(ANY));
        watcher.join().unwrap();
        let sums = answers.sums();
        assert!(sums.is_whole() && sums.jobs == 2, "{sums:?}");
        counter.open();
        let end = block_on(pool.shutdown(NEVER));
        assert_eq!(ShutdownReport { detached: 0, ..end }, ShutdownReport { detached: 0, ..report });
        assert_eq!(answers.sums(), sums);
        // Who was replaced is not waited for.
        while pool.metrics().snapshot().detached_workers > 0 {
            thread::yield_now();
        }
    });
}
