//! The thread that counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{CountError, TextCount};

use super::aftermath::Aftermath;
use super::desk::{Task, What};
use super::flights::add;
use super::guard::guarded;
use super::job::Work;
use super::parts::{Part, cut};
use super::priority;
use super::queue::Next;
use super::shared::Shared;

/// One worker. It is built without a thread, so that tests can run it where they like.
pub(super) struct Worker {
    shared: Arc<Shared>,
    index: usize,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, index: usize) -> Self {
        Self { shared, index }
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// The name of its thread.
    pub(super) fn name(index: usize) -> String {
        format!("turnledger-count-{index}")
    }

    /// Counts until the queue has come to its end, or another worker has taken this one's place.
    pub(super) fn run(self) {
        if self.shared.low_priority {
            priority::lower();
        }
        if !(self.warm_up() && self.work()) {
            let _ = guarded(|| self.shared.metrics.came_back());
        }
        self.shared.worker_left();
    }

    /// Counts one task if there is one.
    #[cfg(test)]
    pub(super) fn step(&self) -> bool {
        let mut aftermath = Aftermath::default();
        let task = self.shared.queue.try_next(self.index, &mut aftermath);
        self.shared.see_to(aftermath);
        task.map(|task| self.count(task)).is_some()
    }

    /// Whether it is still a worker afterwards.
    fn warm_up(&self) -> bool {
        if self.index > 0 {
            return true;
        }
        self.shared.queue.occupy(self.index);
        self.shared.warm_up();
        self.shared.queue.release(self.index)
    }

    /// Whether it was a worker until the end.
    fn work(&self) -> bool {
        loop {
            let mut aftermath = Aftermath::default();
            let next = self.shared.queue.next(self.index, &mut aftermath);
            self.shared.see_to(aftermath);
            match next {
                Next::Deliver => {}
                Next::End => return true,
                Next::Count(task) => {
                    if !self.count(task) {
                        return false;
                    }
                }
            }
        }
    }

    /// Whether it is still a worker afterwards.
    fn count(&self, mut task: Task) -> bool {
        let shared = &*self.shared;
        let mut aftermath = Aftermath::default();
        let (result, elapsed) = if self.prepare(&mut task, &mut aftermath) {
            shared.see_to(std::mem::take(&mut aftermath));
            let part = match &task.what {
                What::Part(parts, index) => parts.get(*index),
                What::Whole | What::Long => None,
            };
            shared.timed(&task.work, part)
        } else {
            (Ok(TextCount::from(0_u64)), Duration::ZERO)
        };
        let stays = shared.queue.finish(self.index, &task, result, elapsed, &mut aftermath);
        shared.see_to(aftermath);
        stays
    }

    /// Cuts a long text. Says whether there is something to count: the job may have been given up
    /// meanwhile.
    fn prepare(&self, task: &mut Task, aftermath: &mut Aftermath) -> bool {
        let What::Long = task.what else { return true };
        // A counter that panics here is left to count the whole, which may go well.
        let parts = guarded(|| cut(&task.work, &*self.shared.counter)).unwrap_or_default();
        if parts.len() < 2 {
            return true;
        }
        let parts: Arc<[Part]> = parts.into();
        let offered = self.shared.queue.offer(task, &parts, aftermath);
        task.what = What::Part(parts, 0);
        offered
    }
}

impl Shared {
    /// Counts a whole, or a part of it; catches panics, takes the time, and learns what it costs.
    pub(super) fn timed(
        &self,
        work: &Work,
        part: Option<&Part>,
    ) -> (Result<TextCount, CountError>, Duration) {
        // The first count may load a vocabulary, which tells nothing of the others.
        let tells = self.warmth.is_warm() && self.cost.is_due();
        let thread_start = tells.then(self.thread_time);
        let start = Instant::now();
        let result = guarded(|| match part {
            None => self.sum(work.texts()),
            Some(part) => self.sum(part.texts(work)),
        });
        let elapsed = start.elapsed();
        let panicked = |_| Err(CountError::Panicked { counter: self.counter_id.clone() });
        let result = result.unwrap_or_else(panicked);
        if result.is_ok() {
            if let Some(start) = thread_start {
                let bytes = part.map_or_else(|| work.bytes(), |part| part.bytes);
                self.cost.learn(bytes, (self.thread_time)().saturating_sub(start));
            }
            self.warmth.set_warm();
        }
        (result, elapsed)
    }

    fn sum<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<TextCount, CountError> {
        let mut sum = TextCount::from(0_u64);
        for text in texts {
            add(&mut sum, self.counter.count_text(text)?);
        }
        Ok(sum)
    }
}
