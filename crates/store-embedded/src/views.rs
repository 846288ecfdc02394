//! What readers may see while a commit is not durable yet.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{Database, ReadTransaction, ReadableDatabase, TransactionError};

/// The newest durable state, where the database shows a newer one that is not durable yet.
///
/// Readers look at this one then: what they have seen must not be gone after the machine ends.
#[derive(Default)]
pub(crate) struct Views(Mutex<Option<Arc<ReadTransaction>>>);

impl Views {
    /// What a reader may see now.
    pub(crate) fn begin(
        &self,
        database: &Database,
    ) -> Result<Arc<ReadTransaction>, TransactionError> {
        // While this is locked, nobody can begin to commit what is not durable.
        match &*self.lock() {
            Some(view) => Ok(Arc::clone(view)),
            None => database.begin_read().map(Arc::new),
        }
    }

    /// Keeps the present state, unless one is kept: a commit that is not durable follows.
    pub(crate) fn keep(&self, database: &Database) -> Result<(), TransactionError> {
        let mut kept = self.lock();
        if kept.is_none() {
            *kept = Some(Arc::new(database.begin_read()?));
        }
        Ok(())
    }

    /// Shows a newer state, which is durable now.
    pub(crate) fn publish(&self, view: ReadTransaction) {
        let before = self.lock().replace(Arc::new(view));
        // Outside of the lock: ending a transaction takes locks of the database.
        drop(before);
    }

    /// Shows what the database has: all of it is durable.
    pub(crate) fn clear(&self) {
        let before = self.lock().take();
        drop(before);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<ReadTransaction>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Views")
    }
}

#[cfg(test)]
mod tests {
    use redb::TableDefinition;
    use redb::backends::InMemoryBackend;

    use super::*;

    const TABLE: TableDefinition<'_, u64, u64> = TableDefinition::new("table");

    fn commit(database: &Database, value: u64) {
        let transaction = database.begin_write().unwrap();
        transaction.open_table(TABLE).unwrap().insert(0, value).unwrap();
        transaction.commit().unwrap();
    }

    #[test]
    fn a_newer_state_is_seen_when_it_is_published_and_not_before() {
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
        let views = Views::default();
        let check = |value: u64| {
            let table = views.begin(&database).unwrap().open_table(TABLE).unwrap();
            assert_eq!(redb::ReadableTable::get(&table, 0).unwrap().unwrap().value(), value);
        };
        commit(&database, 1);
        check(1);
        views.keep(&database).unwrap();
        commit(&database, 2);
        check(1);
        let second = database.begin_read().unwrap();
        views.keep(&database).unwrap();
        commit(&database, 3);
        check(1);
        views.publish(second);
        check(2);
        views.clear();
        check(3);
    }
}
