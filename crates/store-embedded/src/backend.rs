//! Storage for the pages of the database; the one place where types of redb are public.
//!
//! Tests use it to inject faults. Everyone else names a path.

use std::ops::Bound;

pub use redb::backends::{FileBackend, InMemoryBackend};
pub use redb::{BackendError, StorageBackend};

use crate::builder::{EmbeddedStoreBuilder, Place};

impl EmbeddedStoreBuilder {
    /// Keeps the pages in storage of your own instead of a file.
    ///
    /// Whether that is durable is the storage's affair; the store says that it is. Locking it
    /// against other processes is the storage's affair too.
    pub fn backend(mut self, backend: impl StorageBackend) -> Self {
        self.place = Some(Place::Backend(Box::new(backend)));
        self
    }
}

/// A file that is written and never synced: what is written survives the process, not the machine.
///
/// Commits that the database itself calls not durable would be lost with the process.
#[derive(Debug)]
pub(crate) struct Unsynced(pub(crate) FileBackend);

type Io<T> = Result<T, std::io::Error>;
pub(crate) type Lock<T> = Result<T, BackendError>;

/// The locks of a storage that has an `inner` one.
macro_rules! forward_locks {
    () => {
        fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Lock<bool> {
            self.inner().try_lock_range(start, end)
        }

        fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Lock<bool> {
            self.inner().try_lock_shared_range(start, end)
        }

        fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Lock<()> {
            self.inner().lock_range(start, end)
        }

        fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Lock<()> {
            self.inner().lock_shared_range(start, end)
        }

        fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Lock<()> {
            self.inner().unlock_range(start, end)
        }

        fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Lock<bool> {
            self.inner().query_lock_range(start, end)
        }
    };
}

pub(crate) use forward_locks;

impl Unsynced {
    const fn inner(&self) -> &FileBackend {
        &self.0
    }
}

#[deny(clippy::missing_trait_methods)]
impl StorageBackend for Unsynced {
    forward_locks!();

    fn len(&self) -> Io<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Io<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Io<()> {
        self.0.set_len(len)
    }

    fn write(&self, offset: u64, data: &[u8]) -> Io<()> {
        self.0.write(offset, data)
    }

    fn sync_data(&self) -> Io<()> {
        Ok(())
    }

    fn close(&self) -> Io<()> {
        self.0.close()
    }
}
