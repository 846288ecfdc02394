//! The queue by itself.

use crate::pool::queue::Queue;

fn pop<T>(queue: &Queue<T>) -> Option<T> {
    queue.pop(|job| job)
}

#[test]
fn jobs_come_out_in_order_and_the_end_after_them() {
    let queue = Queue::new(1);
    assert_eq!(queue.push(1), Ok(()));
    assert_eq!(queue.push(2), Ok(()));
    queue.drain();
    assert!(!queue.is_open());
    assert_eq!(queue.push(3), Ok(()), "who holds a place may still hand its job over");
    assert_eq!([pop(&queue), pop(&queue), pop(&queue)], [Some(1), Some(2), Some(3)]);
    assert_eq!((pop(&queue), queue.workers()), (None, 0));
    assert_eq!(queue.push(4), Err(4), "nobody would take it");
}

#[test]
fn closing_takes_the_jobs_away() {
    let queue = Queue::new(1);
    queue.push(1).unwrap();
    assert_eq!(queue.close(), [1]);
    assert_eq!(queue.push(2), Err(2));
    assert_eq!(pop(&queue), None);
    queue.drain();
    assert_eq!(queue.push(3), Err(3), "what is closed stays closed");
}

#[test]
fn a_waiting_worker_is_woken_by_a_job_and_by_the_end() {
    let queue = Queue::new(2);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| std::iter::from_fn(|| pop(&queue)).sum::<u32>()))
            .collect();
        for job in 1..=100 {
            queue.push(job).unwrap();
        }
        queue.drain();
        let sum: u32 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
        assert_eq!(sum, 5050);
    });
    assert_eq!(queue.workers(), 0);
}
