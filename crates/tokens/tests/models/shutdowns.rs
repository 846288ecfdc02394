//! Shutdowns whose deadline passes at any moment.

use shuttle::future::block_on;
use shuttle::thread;

use crate::explore::explore;
use crate::jobs::{Answers, Bytes, pool};
use crate::pool::ShutdownReport;
use crate::sync::{ANY, NEVER, NOW};

#[test]
fn the_report_of_a_shutdown_adds_up_and_every_job_has_one_answer() {
    explore(|| {
        let answers = Answers::default();
        let pool = pool(&Bytes::new(true), 2, 4);
        for _ in 0..3 {
            assert!(answers.submit(&pool));
        }
        let seen = answers.sums().counted;
        let report = block_on(pool.shutdown(ANY));
        // A worker may be delivering what it had counted by then; this waits for it.
        let end = block_on(pool.shutdown(NEVER));
        assert_eq!(end, ShutdownReport { detached: 0, ..report }, "the end stays the end");
        let sums = answers.sums();
        assert!(sums.is_whole(), "{sums:?}");
        assert_eq!(report.left, sums.left);
        let before = sums.counted.checked_sub(report.counted);
        assert!(before.is_some_and(|before| before >= seen), "{report:?} {sums:?} {seen}");
        assert!(pool.is_idle());
        let snapshot = pool.metrics().snapshot();
        assert_eq!((snapshot.succeeded, snapshot.given_up), (sums.counted, sums.left));
        assert_eq!((snapshot.queue_depth, snapshot.in_hand), (0, 0));
    });
}

#[test]
fn nothing_is_without_an_answer_after_a_shutdown_even_where_counts_hang() {
    explore(|| {
        let answers = Answers::default();
        let counter = Bytes::new(false);
        let pool = pool(&counter, 2, 4);
        for _ in 0..3 {
            assert!(answers.submit(&pool));
        }
        let report = block_on(pool.shutdown(ANY));
        let sums = answers.sums();
        assert_eq!((sums.counted, sums.left), (0, 3));
        assert_eq!((report.counted, report.left), (0, 3));
        assert!(pool.is_idle());
        counter.open();
        assert_eq!(block_on(pool.shutdown(NEVER)), ShutdownReport { detached: 0, ..report });
        assert_eq!(answers.sums(), sums);
    });
}

#[test]
fn jobs_that_come_during_a_shutdown_are_refused_or_have_one_answer() {
    explore(|| {
        let answers = Answers::default();
        let pool = pool(&Bytes::new(true), 2, 3);
        let place = pool.reserve().unwrap();
        let job = answers.job();
        let late = thread::spawn(move || place.submit(job));
        let submitters: Vec<_> = (0..2)
            .map(|_| {
                let (pool, answers) = (pool.clone(), answers.clone());
                thread::spawn(move || u64::from(answers.submit(&pool)))
            })
            .collect();
        let report = block_on(pool.shutdown(ANY));
        let taken: u64 = submitters.into_iter().map(|thread| thread.join().unwrap()).sum();
        late.join().unwrap();
        block_on(pool.shutdown(NEVER));
        let sums = answers.sums();
        assert_eq!(sums.jobs, taken + 1);
        assert!(sums.is_whole(), "{sums:?}");
        assert!(report.left <= sums.left && report.counted <= sums.counted);
        for _ in 0..3 {
            assert!(pool.reserve().is_err(), "what is shut down stays so");
        }
    });
}

#[test]
fn shutdowns_at_the_same_time_report_the_same_end() {
    explore(|| {
        let answers = Answers::default();
        let pool = pool(&Bytes::new(true), 1, 2);
        for _ in 0..2 {
            assert!(answers.submit(&pool));
        }
        let other = {
            let pool = pool.clone();
            thread::spawn(move || block_on(pool.shutdown(NOW)))
        };
        let one = block_on(pool.shutdown(ANY));
        let other = other.join().unwrap();
        let end = block_on(pool.shutdown(NEVER));
        // Whoever began first has set what is counted; the end is the earliest deadline's.
        assert_eq!(ShutdownReport { detached: 0, ..one }, end);
        assert_eq!(ShutdownReport { detached: 0, ..other }, end);
        let sums = answers.sums();
        assert!(sums.is_whole(), "{sums:?}");
        assert_eq!(end.left, sums.left);
    });
}
