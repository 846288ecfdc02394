//! The threads that read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use memory_core::{ConversationKey, StoreError};
use redb::Database;
use tokio::sync::mpsc::Receiver;

use crate::error::{EmbeddedError, Fault, explain};
use crate::job::Answer;
use crate::schema::View;
use crate::shared::Shared;
use crate::views::Views;

/// What is sent to the readers.
pub(crate) enum Query {
    Read(Box<dyn FnOnce(&Reader) + Send>),
    /// Answer what was asked before, and end.
    Close,
}

/// The queue that all readers share: whoever holds the lock waits for the next query.
pub(crate) type Queries = Arc<Mutex<Receiver<Query>>>;

/// One reader's side of the store.
pub(crate) struct Reader {
    database: Arc<Database>,
    shared: Arc<Shared>,
    views: Arc<Views>,
}

impl Reader {
    pub(crate) const fn new(
        database: Arc<Database>,
        shared: Arc<Shared>,
        views: Arc<Views>,
    ) -> Self {
        Self { database, shared, views }
    }

    /// Answers until the store is closed or its last handle is dropped.
    pub(crate) fn run(&self, queries: &Queries) {
        loop {
            let query = {
                let mut queries = queries.lock().unwrap_or_else(PoisonError::into_inner);
                match queries.blocking_recv() {
                    Some(Query::Close) => {
                        queries.close();
                        continue;
                    }
                    query => query,
                }
            };
            match query {
                Some(Query::Read(read)) => read(self),
                _ => return,
            }
        }
    }

    /// Opens the tables as the last durable commit left them.
    pub(crate) fn begin(&self) -> Result<View, Fault> {
        Ok(View::new(self.views.begin(&self.database)?))
    }

    /// Reads, and answers.
    pub(crate) fn answer<T>(
        &self,
        operation: &'static str,
        key: Option<&ConversationKey>,
        answer: Answer<T>,
        read: impl FnOnce(&Self, &Shared) -> Result<T, Fault>,
    ) {
        if answer.is_closed() {
            return;
        }
        let result = if self.shared.is_poisoned() {
            Err(StoreError::Poisoned)
        } else {
            // The backend panics on some damaged pages.
            catch_unwind(AssertUnwindSafe(|| read(self, &self.shared)))
                .unwrap_or_else(|_| {
                    let source = Box::new(EmbeddedError::Panicked);
                    Err(StoreError::Backend { operation, retryable: false, source }.into())
                })
                .map_err(|fault| explain(fault, operation, key, &self.shared.what))
        };
        // Nobody waits any more where this fails.
        let _ = answer.send(result);
    }
}
