//! The threads that finish commits whose sync was left, and acknowledge them.
//!
//! There are two: while one acknowledges a commit, the other finishes the next.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};

use redb::ReadTransaction;

use crate::behind::Behind;
use crate::job::{Failure, Job, answer_each};
use crate::shared::Shared;
use crate::views::Views;

/// A commit whose sync was left.
pub(crate) struct Committed {
    pub(crate) jobs: Vec<Box<dyn Job>>,
    /// The state that it made.
    pub(crate) view: ReadTransaction,
}

/// Where the finishers take commits from.
pub(crate) type Commits = Arc<Mutex<Receiver<Committed>>>;

/// A finisher's side of the store.
#[derive(Clone)]
pub(crate) struct Finisher {
    pub(crate) behind: Arc<Behind>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) views: Arc<Views>,
}

impl Finisher {
    /// Finishes what the writer commits, until there is no writer any more.
    pub(crate) fn run(self, commits: &Commits) {
        let next = || commits.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok(Committed { jobs, view }) = next() {
            match self.behind.finish(|| self.views.publish(view)) {
                Ok(()) => answer_each(jobs, Job::acknowledge),
                Err(error) => {
                    self.shared.poison();
                    let failure = Failure::Commit(Arc::new(error));
                    answer_each(jobs, |job| job.fail(&failure, &self.shared.what));
                }
            }
        }
    }
}
