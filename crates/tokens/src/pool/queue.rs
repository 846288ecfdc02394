//! The queue between those who submit and those who count.
//!
//! Two locks: the intake's, under which a job is pushed and nothing else is done, and the desk's,
//! under which workers put in order what has come in and take the next task from it. Code that is
//! not ours runs under neither of them; what it has to do is handed out as an [`Aftermath`].

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use memory_core::{CountError, Framing, TextCount};

use super::aftermath::Aftermath;
use super::desk::{Desk, Ended, Phase, Task};
use super::hand::Hung;
use super::intake::Intake;
use super::job::Queued;
use super::parts::Part;
use crate::sync::{AtomicBool, Mutex, MutexGuard};

/// So many jobs fit in before the intake grows.
const ROOM: usize = 1024;

/// A queue with an end: it is open, then draining, then closed.
pub(super) struct Queue {
    intake: Intake<Queued>,
    desk: Mutex<Desk>,
    /// Mirrors `desk.phase == Phase::Open`, to be read without the lock.
    open: AtomicBool,
}

/// What a worker does next.
pub(super) enum Next {
    Count(Task),
    /// See to the aftermath, and ask again.
    Deliver,
    /// End: it is no longer among the workers.
    End,
}

/// What a look for counts that hang has found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Overdue {
    pub(super) hung: Vec<Hung>,
    /// Workers that hang, each with the one that is to be started in its place.
    pub(super) replacements: Vec<(usize, usize)>,
}

impl Queue {
    pub(super) fn new(workers: usize, capacity: usize, batches: bool, framing: Framing) -> Self {
        let room = capacity.min(ROOM);
        Self {
            intake: Intake::with_capacity(room),
            desk: Mutex::new(Desk::new(workers, batches, room, framing)),
            open: AtomicBool::new(true),
        }
    }

    /// Whether new places may be handed out.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Adds a job; gives it back where no worker will take it.
    pub(super) fn push(&self, job: Queued) -> Result<(), Queued> {
        self.intake.push(job)
    }

    /// The next thing to do for a worker; waits until there is something.
    pub(super) fn next(&self, worker: usize, aftermath: &mut Aftermath) -> Next {
        loop {
            let mut desk = self.desk();
            let calls = self.intake.take_all(&mut desk.arrived);
            if let Some(task) = take(&mut desk, worker, aftermath) {
                return Next::Count(task);
            }
            desk.hands.flush(worker, aftermath);
            if !aftermath.is_empty() {
                return Next::Deliver;
            }
            if desk.phase != Phase::Open && self.leave(&mut desk, worker) {
                return Next::End;
            }
            drop(desk);
            self.intake.wait(calls);
        }
    }

    /// The next task, if there is one.
    #[cfg(test)]
    pub(super) fn try_next(&self, worker: usize, aftermath: &mut Aftermath) -> Option<Task> {
        let mut desk = self.desk();
        self.intake.take_all(&mut desk.arrived);
        let task = take(&mut desk, worker, aftermath);
        if task.is_none() {
            desk.hands.flush(worker, aftermath);
        }
        task
    }

    /// Offers the parts of a task to all workers; see [`Desk::offer`].
    pub(super) fn offer(
        &self,
        task: &Task,
        parts: &Arc<[Part]>,
        aftermath: &mut Aftermath,
    ) -> bool {
        let offered = self.desk().offer(task, parts, aftermath);
        if offered {
            self.intake.call();
        }
        offered
    }

    /// Notes what came of a task. Says whether the worker is still one.
    pub(super) fn finish(
        &self,
        worker: usize,
        task: &Task,
        result: Result<TextCount, CountError>,
        elapsed: Duration,
        aftermath: &mut Aftermath,
    ) -> bool {
        let mut desk = self.desk();
        desk.finish(worker, task, result, elapsed, aftermath);
        stays(&mut desk, worker, aftermath)
    }

    /// Shows that a worker is busy with something that is no job.
    pub(super) fn occupy(&self, worker: usize) {
        let mut aftermath = Aftermath::default();
        self.desk().hands.take_up(worker, None, 0, Instant::now(), &mut aftermath);
    }

    /// The worker has ended what it was [occupied](Self::occupy) with. Says whether it is still one.
    pub(super) fn release(&self, worker: usize) -> bool {
        let (mut desk, mut aftermath) = (self.desk(), Aftermath::default());
        desk.hands.put_down(worker, None, None, &mut aftermath);
        stays(&mut desk, worker, &mut aftermath)
    }

    /// Answers for the counts that take longer than `limit` for each part's length, and names who
    /// takes the places of their workers.
    pub(super) fn overdue(
        &self,
        now: Instant,
        limit: Duration,
        aftermath: &mut Aftermath,
    ) -> Overdue {
        let mut desk = self.desk();
        let mut hung = desk.hands.note_hung(now, limit);
        for found in &mut hung {
            if let Some(id) = found.id {
                found.conversation = desk.answer_hung(id, found.after, aftermath);
            }
            desk.hands.flush(found.worker, aftermath);
        }
        let may_replace = desk.phase != Phase::Closed;
        let replacements = if may_replace { desk.hands.replace_hung() } else { Vec::new() };
        Overdue { hung, replacements }
    }

    /// Lets the workers take what is there and then leave.
    pub(super) fn drain(&self) {
        self.open.store(false, Ordering::Release);
        let mut desk = self.desk();
        if desk.phase == Phase::Open {
            desk.phase = Phase::Draining;
        }
        drop(desk);
        self.intake.call();
    }

    /// Takes away what nobody has begun with; the workers leave after what they have in hand.
    pub(super) fn close(&self, aftermath: &mut Aftermath) {
        self.end(aftermath, false);
    }

    /// Takes everything away that has no answer yet.
    pub(super) fn give_up(&self, aftermath: &mut Aftermath) {
        self.end(aftermath, true);
    }

    /// What has come of the jobs.
    pub(super) fn ended(&self) -> Ended {
        self.desk().ended
    }

    /// How many workers have not left.
    pub(super) fn workers(&self) -> usize {
        self.desk().workers
    }

    /// How many workers were replaced, because they hang, and have not come back.
    pub(super) fn strays(&self) -> usize {
        self.desk().hands.strays()
    }

    fn end(&self, aftermath: &mut Aftermath, with_hands: bool) {
        self.open.store(false, Ordering::Release);
        let mut desk = self.desk();
        let arrived = self.intake.close();
        desk.arrived.extend(arrived);
        desk.close(aftermath);
        if with_hands {
            desk.empty_hands(aftermath);
        }
        drop(desk);
        self.intake.call();
    }

    /// Lets a worker leave that finds nothing to do; the last one only if nothing has come in.
    fn leave(&self, desk: &mut Desk, worker: usize) -> bool {
        if desk.workers == 1 && !self.intake.close_if_empty() {
            return false;
        }
        desk.workers -= 1;
        desk.hands.leave(worker);
        true
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // What runs under the lock moves jobs and cannot panic, so the state is whole.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(desk: &mut Desk, worker: usize, aftermath: &mut Aftermath) -> Option<Task> {
    let now = Instant::now();
    desk.sort_in(now, aftermath);
    desk.next(worker, now, aftermath)
}

/// Whether a worker that has come back goes on; one that was replaced meanwhile does not.
fn stays(desk: &mut Desk, worker: usize, aftermath: &mut Aftermath) -> bool {
    let stays = !desk.hands.is_stray(worker);
    if !stays {
        desk.hands.flush(worker, aftermath);
        desk.hands.leave(worker);
    }
    stays
}
