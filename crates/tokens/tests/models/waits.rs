//! Those who wait for a place, a count or an idle pool are woken.

use memory_core::Message;
use shuttle::future::block_on;
use shuttle::thread;

use crate::explore::explore;
use crate::jobs::{Answers, Bytes, pool};
use crate::sync::{ANY, NEVER};

#[test]
fn everyone_who_waits_for_a_place_gets_one() {
    explore(|| {
        let pool = pool(&Bytes::new(true), 1, 1);
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let pool = pool.clone();
                thread::spawn(move || block_on(pool.count("text", NEVER)).unwrap())
            })
            .collect();
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), 4);
        }
        // A worker lets go of a job a moment after its answer.
        block_on(pool.wait_idle());
        assert!(pool.reserve().is_ok(), "no place is lost");
        block_on(pool.shutdown(NEVER));
    });
}

#[test]
fn everyone_who_waits_hears_of_a_shutdown_or_a_deadline() {
    explore(|| {
        let pool = pool(&Bytes::new(true), 1, 1);
        let waiting: Vec<_> = [NEVER, ANY, NEVER]
            .into_iter()
            .map(|deadline| {
                let pool = pool.clone();
                let message = Message::user("text");
                thread::spawn(move || drop(block_on(pool.tally(&message, deadline))))
            })
            .collect();
        block_on(pool.shutdown(ANY));
        for thread in waiting {
            thread.join().unwrap();
        }
        block_on(pool.shutdown(NEVER));
        assert!(pool.is_idle());
        let snapshot = pool.metrics().snapshot();
        let answered = snapshot.succeeded + snapshot.abandoned + snapshot.given_up;
        assert_eq!(snapshot.submitted, answered, "{snapshot:?}");
    });
}

#[test]
fn whoever_waits_for_an_idle_pool_is_woken() {
    explore(|| {
        let answers = Answers::default();
        let pool = pool(&Bytes::new(true), 2, 4);
        let submitter = {
            let (pool, answers) = (pool.clone(), answers.clone());
            thread::spawn(move || (0..2).for_each(|_| assert!(answers.submit(&pool))))
        };
        block_on(pool.wait_idle());
        submitter.join().unwrap();
        block_on(pool.wait_idle());
        assert_eq!(answers.sums().counted, 2);
        block_on(pool.shutdown(NEVER));
    });
}
