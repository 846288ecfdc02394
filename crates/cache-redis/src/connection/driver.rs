//! The task that drives a connection, and what it tells of itself.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::select;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, unconstrained};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

/// Beats within the time that answers are waited for.
const BEATS: u32 = 4;

/// Places where threads wait for a beat; where there are more threads, some share one.
const APART: usize = 8;

/// A driver does not beat more often than that.
const SHORTEST: Duration = Duration::from_millis(25);

/// Whether a driver is at work, and its beat.
///
/// A timer for each command would cost more than all the rest that the pool does for it. So a
/// command waits for its answer or a beat, and only one that has seen a beat sets a timer.
#[derive(Debug)]
pub(super) struct Pulse {
    alive: AtomicBool,
    /// Each thread waits at its own, so that threads do not wait for each other's locks.
    beats: [Notify; APART],
    /// None where answers are waited for so shortly that a timer for each does less.
    period: Option<Duration>,
    /// Where it beats. Another runtime goes on when that one stands still.
    runtime: Option<Id>,
}

impl Pulse {
    pub(super) fn new(response_timeout: Duration) -> Self {
        let period = (response_timeout / BEATS).max(SHORTEST);
        Self {
            alive: AtomicBool::new(true),
            beats: std::array::from_fn(|_| Notify::new()),
            period: (period <= response_timeout / 2).then_some(period),
            runtime: runtime(),
        }
    }

    pub(super) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Acquire)
    }

    /// Notes the end, or that it is expected; false if it was noted before.
    pub(super) fn stop(&self) -> bool {
        self.alive.swap(false, Ordering::AcqRel)
    }

    /// Waits for an answer until a deadline, which is the time for answers away.
    pub(super) async fn within<F: Future>(
        &self,
        deadline: Instant,
        answer: F,
    ) -> Option<F::Output> {
        let mut answer = pin!(answer);
        if self.period.is_some() && self.runtime == runtime() {
            select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = self.beats[thread() % APART].notified() => {}
            }
        }
        timeout_at(deadline, answer).await.ok()
    }

    async fn beat(&self) {
        let Some(period) = self.period else { return pending().await };
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            for beats in &self.beats {
                beats.notify_waiters();
            }
        }
    }
}

/// Runs a driver until it ends. `ended` is called once if nobody expected that.
pub(super) fn drive(
    driver: impl Future<Output = ()> + Send + 'static,
    pulse: Arc<Pulse>,
    ended: impl FnOnce() + Send + 'static,
) -> AbortHandle {
    let ending = Ending { pulse, ended: Some(ended) };
    let task = tokio::spawn(async move {
        select! {
            biased;
            () = driver => {}
            // The driver may have used up what the runtime lets a task do at a time.
            () = unconstrained(ending.pulse.beat()) => {}
        }
        drop(ending);
    });
    task.abort_handle()
}

/// The number of this thread, in the order in which threads came here.
fn thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

/// The runtime that this is called in.
fn runtime() -> Option<Id> {
    Handle::try_current().ok().map(|runtime| runtime.id())
}

/// Tells of the end of a connection that was alive, also where its driver panics.
struct Ending<F: FnOnce()> {
    pulse: Arc<Pulse>,
    ended: Option<F>,
}

impl<F: FnOnce()> Drop for Ending<F> {
    fn drop(&mut self) {
        if self.pulse.stop()
            && let Some(ended) = self.ended.take()
        {
            ended();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;
    use tokio::sync::oneshot;
    use tokio::task::consume_budget;
    use tokio::time::timeout;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_driver_that_panics_ends_its_connection() {
        let pulse = Arc::new(Pulse::new(SECOND));
        let (told, hears) = oneshot::channel();
        let driver = async { panic!("the driver panics as the test wants") };
        drive(driver, Arc::clone(&pulse), move || told.send(()).unwrap());
        hears.await.unwrap();
        assert!(!pulse.is_alive());
    }

    #[tokio::test]
    async fn the_end_of_a_connection_that_is_closed_is_not_told() {
        let pulse = Arc::new(Pulse::new(SECOND));
        let (told, hears) = oneshot::channel();
        let driver = drive(pending(), Arc::clone(&pulse), move || told.send(()).unwrap());
        assert!(pulse.stop());
        driver.abort();
        hears.await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for_until_the_deadline_and_no_longer() {
        let check = async |patience: Duration| {
            let pulse = Arc::new(Pulse::new(patience));
            let driver = drive(pending(), Arc::clone(&pulse), || ());
            // Wherever in a beat it begins.
            for part in 0..8 {
                tokio::time::advance(Duration::from_millis(part * 777)).await;
                let begun = Instant::now();
                assert!(pulse.within(begun + patience, pending::<()>()).await.is_none());
                assert_eq!(begun.elapsed(), patience);
                let soon = pulse.within(begun + patience * 2, tokio::time::advance(patience / 2));
                assert!(soon.await.is_some());
            }
            driver.abort();
        };
        check(5 * SECOND).await;
        check(Duration::from_millis(80)).await;
        check(Duration::from_millis(2)).await;
    }

    #[tokio::test]
    async fn a_driver_with_much_to_do_does_not_keep_answers_from_being_late() {
        let patience = Duration::from_millis(100);
        let pulse = Arc::new(Pulse::new(patience));
        // It does as much as the runtime lets it, each time.
        let hungry = async {
            loop {
                consume_budget().await;
            }
        };
        let driver = drive(hungry, Arc::clone(&pulse), || ());
        let late = pulse.within(Instant::now() + patience, pending::<()>());
        let limit = tokio::time::timeout(10 * SECOND, late);
        assert_eq!(limit.await, Ok(None), "no beat comes");
        driver.abort();
    }

    #[test]
    fn a_runtime_that_stands_still_does_not_keep_another_waiting() {
        let runtime = || Builder::new_current_thread().enable_time().start_paused(true).build();
        let (one, other) = (runtime().unwrap(), runtime().unwrap());
        let pulse = one.block_on(async {
            let pulse = Arc::new(Pulse::new(SECOND));
            drive(pending(), Arc::clone(&pulse), || ());
            pulse
        });
        other.block_on(async {
            let begun = Instant::now();
            let waiting = pulse.within(begun + SECOND, pending::<()>());
            assert_eq!(timeout(20 * SECOND, waiting).await, Ok(None));
            assert_eq!(begun.elapsed(), SECOND);
        });
    }
}
