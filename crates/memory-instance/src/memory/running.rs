//! What runs as long as somebody holds the memory.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::background::{Outcome, Settler};
use crate::generation::Generation;
use crate::shared::Shared;

/// The background tasks of a memory, on the runtime on which it was built.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) shared: Arc<Shared>,
    runtime: Handle,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Running {
    pub(super) fn new(shared: Arc<Shared>, runtime: Handle) -> Self {
        Self { shared, runtime, tasks: Mutex::default() }
    }

    /// Runs a task until it ends, or the memory does.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.runtime.spawn(task).abort_handle();
        let mut tasks = self.tasks();
        // Former counters' tasks end by themselves.
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    /// Settles what a generation's pool counts.
    pub(super) fn settle(&self, generation: &Generation, outcomes: mpsc::Receiver<Outcome>) {
        let settler = Settler::new(Arc::clone(&self.shared), generation);
        self.spawn(settler.settle_all(outcomes));
    }

    /// Ends every task where it waits.
    pub(super) fn abort(&self) {
        for task in self.tasks().iter() {
            task.abort();
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<AbortHandle>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.abort();
    }
}
