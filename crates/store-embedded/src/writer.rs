//! The thread that writes: it commits whatever is waiting in one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{SendError, SyncSender};
use std::thread::JoinHandle;

use redb::{Database, ReadTransaction, ReadableDatabase};
use tokio::sync::mpsc::Receiver;

use crate::behind::Behind;
use crate::error::{EmbeddedError, Fault};
use crate::finisher::Committed;
use crate::job::{Failure, Job, answer_each};
use crate::schema::Tables;
use crate::shared::Shared;
use crate::views::Views;
use crate::write::{Batch, State, sweep_up};

/// What is sent to the writer.
pub(crate) enum Order {
    Write(Box<dyn Job>),
    /// Do what was ordered before, and end.
    Close,
}

/// Most operations in one transaction.
const BATCH_JOBS: usize = 4096;
/// A transaction takes no further operation once it holds so many bytes, so that those in it do
/// not wait for long and the pages that it changes fit the cache.
const BATCH_BYTES: usize = 8 << 20;
/// Blocks that are swept up in one transaction while nobody waits.
const IDLE_BLOCKS: usize = 16;

/// The writer's side of the store.
pub(crate) struct Writer {
    database: Arc<Database>,
    shared: Arc<Shared>,
    state: State,
    orders: Orders,
    finishing: Finishing,
}

/// What has been ordered.
struct Orders {
    waiting: Receiver<Order>,
    /// Bytes of what was taken for one transaction.
    bytes: usize,
}

/// How commits are finished whose sync is left.
pub(crate) struct Finishing {
    pub(crate) behind: Arc<Behind>,
    pub(crate) views: Arc<Views>,
    pub(crate) commits: SyncSender<Committed>,
    pub(crate) threads: Vec<JoinHandle<()>>,
}

impl Orders {
    /// Takes what is waiting, as far as one transaction takes it; whether that was anything.
    fn take_waiting(&mut self, jobs: &mut Vec<Box<dyn Job>>) -> bool {
        let before = jobs.len();
        while jobs.len() < BATCH_JOBS
            && self.bytes < BATCH_BYTES
            && let Ok(order) = self.waiting.try_recv()
        {
            self.take(order, jobs);
        }
        jobs.len() > before
    }

    fn take(&mut self, order: Order, jobs: &mut Vec<Box<dyn Job>>) {
        match order {
            Order::Write(job) => {
                self.bytes += job.bytes();
                jobs.push(job);
            }
            // What waits already is still done.
            Order::Close => self.waiting.close(),
        }
    }
}

impl Writer {
    pub(crate) const fn new(
        database: Arc<Database>,
        shared: Arc<Shared>,
        state: State,
        orders: Receiver<Order>,
        finishing: Finishing,
    ) -> Self {
        Self { database, shared, state, orders: Orders { waiting: orders, bytes: 0 }, finishing }
    }

    /// Works until the store is closed or its last handle is dropped, and everything that was
    /// ordered before is done.
    pub(crate) fn run(mut self) {
        let mut jobs = Vec::new();
        while self.wait(&mut jobs) {
            self.commit(&mut jobs);
        }
        let Finishing { views, commits, threads, .. } = self.finishing;
        drop(commits);
        for thread in threads {
            // It lets go of the database before the writer does. If it panicked, it has said so.
            let _ = thread.join();
        }
        // Not before the last sync is done; and what failed is never to be seen.
        if !self.shared.is_poisoned() {
            views.clear();
        }
    }

    /// Takes what is waiting; false where nothing more will come.
    fn wait(&mut self, jobs: &mut Vec<Box<dyn Job>>) -> bool {
        self.orders.bytes = 0;
        if self.orders.take_waiting(jobs) {
            return true;
        }
        let idle = !self.shared.is_poisoned();
        let has_chores = idle && self.state.has_chores(self.shared.clock.now());
        if has_chores && !self.orders.waiting.is_closed() {
            return true;
        }
        while jobs.is_empty() {
            let Some(order) = self.orders.waiting.blocking_recv() else { return false };
            self.orders.take(order, jobs);
        }
        self.orders.take_waiting(jobs);
        true
    }

    /// Does all jobs in one transaction, and answers them.
    fn commit(&mut self, jobs: &mut Vec<Box<dyn Job>>) {
        let mut committing = false;
        let result = if self.shared.is_poisoned() {
            Err(Failure::Poisoned)
        } else {
            // A panic of the backend must not leave callers without an answer.
            let transact = AssertUnwindSafe(|| self.transact(jobs, &mut committing));
            catch_unwind(transact).unwrap_or_else(|_| {
                Err(if committing {
                    Failure::Commit(Arc::new(EmbeddedError::Panicked))
                } else {
                    Failure::Panicked
                })
            })
        };
        match result {
            Ok(None) => answer_each(jobs.drain(..), Job::acknowledge),
            Ok(Some(view)) => {
                let committed = Committed { jobs: std::mem::take(jobs), view };
                if let Err(SendError(committed)) = self.finishing.commits.send(committed) {
                    *jobs = committed.jobs;
                    // Nobody else will; and whoever closes the storage waits for it.
                    let _ = self.finishing.behind.finish(|| ());
                    self.fail(jobs, &Failure::Commit(Arc::new(EmbeddedError::ThreadEnded)));
                }
            }
            Err(failure) => self.fail(jobs, &failure),
        }
    }

    fn fail(&self, jobs: &mut Vec<Box<dyn Job>>, failure: &Failure) {
        // The database may be in any state now; opening it anew finds a sound one.
        self.shared.poison();
        self.finishing.behind.fail();
        answer_each(jobs.drain(..), |job| job.fail(failure, &self.shared.what));
    }

    /// Gives the state that was committed, where its sync was left.
    fn transact(
        &mut self,
        jobs: &mut Vec<Box<dyn Job>>,
        committing: &mut bool,
    ) -> Result<Option<ReadTransaction>, Failure> {
        let before = |error: redb::Error| Failure::Before(Arc::new(error));
        let transaction = self.database.begin_write().map_err(|error| before(error.into()))?;
        let tables = Tables::open(&transaction).map_err(|error| before(error.into()))?;
        let mut batch = Batch::new(tables, &mut self.state, &self.shared);
        let mut applied = 0;
        loop {
            for job in jobs[applied..].iter_mut().filter(|job| !job.is_abandoned()) {
                batch.now = self.shared.clock.now();
                job.apply(&mut batch).map_err(before)?;
            }
            applied = jobs.len();
            // This transaction cannot be written before the sync that was left is done. What has
            // come meanwhile would only wait for longer in a transaction of its own.
            if !self.finishing.behind.has_left() || !self.orders.take_waiting(jobs) {
                break;
            }
        }
        if batch.state.has_chores(batch.now) && (jobs.is_empty() || batch.changes > 0) {
            // As many blocks as operations, so that garbage does not outgrow what is written.
            let blocks = if jobs.is_empty() { IDLE_BLOCKS } else { jobs.len() };
            // What cannot be read is left where it is.
            if let Err(Fault::Backend(error)) = sweep_up(&mut batch, blocks) {
                return Err(before(error));
            }
        }
        batch.finish().map_err(|error| before(error.into()))?;
        let changed = batch.changes > 0;
        let ended = std::mem::take(&mut batch.ended);
        drop(batch);
        let Finishing { behind, views, .. } = &self.finishing;
        if !changed {
            transaction.abort().map_err(|error| before(error.into()))?;
            // What the operations have found must be durable before they are answered.
            behind.wait().map_err(|error| Failure::Commit(Arc::new(error)))?;
            return Ok(None);
        }
        // Somebody waits, or will soon: the next transaction can be filled meanwhile. A lone writer
        // would only wait for one thread more. Leases must end when the commit is durable and
        // before the next one begins.
        let others = !self.orders.waiting.is_empty() || behind.has_left();
        let leave = others && ended.is_empty();
        if leave {
            views.keep(&self.database).map_err(|error| before(error.into()))?;
            behind.leave();
        }
        *committing = true;
        transaction.commit().map_err(|error| Failure::Commit(Arc::new(error)))?;
        if leave {
            let view = self.database.begin_read();
            let view = view.map_err(|error| Failure::Commit(Arc::new(error)))?;
            if behind.hand_over().map_err(|error| Failure::Commit(Arc::new(error)))? {
                return Ok(Some(view));
            }
        }
        views.clear();
        if !ended.is_empty() {
            let mut leases = self.shared.leases.hold();
            for number in ended {
                leases.end(number);
            }
        }
        Ok(None)
    }
}
