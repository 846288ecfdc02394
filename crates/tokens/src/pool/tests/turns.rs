//! Short jobs are not stuck behind long ones, nor one conversation behind another; and what is
//! counted of one in a turn is delivered together.

use std::sync::mpsc::Sender;

use super::*;
use crate::Counted;
use crate::pool::PART_BYTES;

type Delivered = (u64, Counted);

fn submit(
    pool: &AsyncTokenCounter,
    conversation: u64,
    tag: u64,
    bytes: usize,
    to: &Sender<Delivered>,
) {
    // Every text is another one.
    let text = format!("{tag:08}{}", "x".repeat(bytes.saturating_sub(8)));
    let job = Job::text_to(text, tag, to.clone()).conversation(conversation);
    pool.submit(job).unwrap();
}

/// Steps until nothing is left; the tags in the order of delivery.
fn order(worker: &Worker, results: &Receiver<Delivered>) -> Vec<u64> {
    while worker.step() {}
    results.try_iter().map(|(tag, _)| tag).collect()
}

#[test]
fn a_conversation_with_a_thousand_jobs_does_not_hold_up_one_job_of_another() {
    let (pool, worker) = stepped(builder(bytes()).capacity(2000));
    let (sender, results) = channel();
    for tag in 0..1000 {
        submit(&pool, 1, tag, 2048, &sender);
    }
    submit(&pool, 2, 5000, 2048, &sender);
    let order = order(&worker, &results);
    let place = order.iter().position(|tag| *tag == 5000).unwrap();
    assert_eq!((place, order.len()), (4, 1001), "one turn of 8 KiB was before it");
}

#[test]
fn a_short_job_is_not_stuck_behind_a_long_one_of_its_own_conversation() {
    let mut counter = mock();
    counter.expect_safe_cut().returning(|text, near| (near < text.len()).then_some(near));
    counter.expect_count().returning(|text| Ok(text.len()));
    let (pool, worker) = stepped(builder(counter));
    let (sender, results) = channel();
    submit(&pool, 1, 1, 4 * PART_BYTES, &sender);
    submit(&pool, 1, 2, 100, &sender);
    assert!(worker.step(), "the first part");
    assert!(worker.step(), "the short job");
    assert_eq!(results.try_recv().unwrap().0, 2);
    assert_eq!(order(&worker, &results), [1]);
}

#[test]
fn what_is_counted_in_one_turn_is_delivered_together() {
    let (pool, worker) = stepped(builder(bytes()));
    let (sender, results) = channel();
    for tag in 0..3 {
        submit(&pool, 1, tag, 10, &sender);
    }
    for _ in 0..2 {
        assert!(worker.step());
        assert!(results.try_recv().is_err(), "the turn goes on");
    }
    assert!(worker.step());
    assert_eq!(results.try_iter().map(|(tag, _)| tag).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn a_result_that_waits_for_company_is_delivered_when_others_took_it() {
    let (pool, [one, other]) = stepped_by_two(builder(bytes()));
    let (sender, results) = channel();
    submit(&pool, 1, 0, 10, &sender);
    submit(&pool, 1, 1, 10, &sender);
    assert!(one.step());
    assert!(results.try_recv().is_err());
    assert!(other.step(), "it takes the company away");
    assert_eq!(results.try_recv().unwrap().0, 1);
    assert!(!one.step());
    assert_eq!(results.try_recv().unwrap().0, 0);
}

#[test]
fn results_of_a_counter_that_waits_are_delivered_at_once() {
    let mut counter = MockCounter::new();
    counter.expect_id().return_const(CounterId::new("mock").unwrap());
    counter.expect_inline_safe().return_const(false);
    counter.expect_is_cpu_bound().return_const(false);
    counter.expect_count().returning(|text| Ok(text.len()));
    let (pool, worker) = stepped(builder(counter));
    let (sender, results) = channel();
    for tag in 0..3 {
        submit(&pool, 1, tag, 10, &sender);
    }
    assert!(worker.step());
    assert_eq!(results.try_recv().unwrap().0, 0);
}

#[tokio::test]
async fn a_shutdown_delivers_what_waits_for_company() {
    let (pool, worker) = stepped(builder(bytes()));
    let (sender, results) = channel();
    submit(&pool, 1, 0, 10, &sender);
    submit(&pool, 1, 1, 10, &sender);
    assert!(worker.step());
    let report = pool.shutdown(std::time::Duration::ZERO).await;
    let mut answers: Vec<_> =
        results.try_iter().map(|(tag, counted)| (tag, counted.result.is_ok())).collect();
    answers.sort_unstable();
    assert_eq!(answers, [(0, true), (1, false)]);
    assert_eq!(report.left, 1);
    assert!(pool.is_idle());
}
