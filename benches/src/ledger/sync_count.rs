//! Storage that counts how often it is synced: the number of commits.

use std::fs::{File, OpenOptions};
use std::io::Error;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store_embedded::backend::{BackendError, FileBackend, StorageBackend};

use super::outcome::Outcome;

/// A file that counts its syncs, under the store and under raw redb alike.
#[derive(Debug)]
pub(super) struct CountedFile {
    file: FileBackend,
    syncs: Arc<AtomicU64>,
}

impl CountedFile {
    /// Creates a file, and the count of its syncs.
    pub(super) fn create(path: &Path) -> Outcome<(Self, Arc<AtomicU64>)> {
        let mut options = OpenOptions::new();
        let file: File = options.read(true).write(true).create_new(true).open(path)?;
        let syncs = Arc::new(AtomicU64::new(0));
        Ok((Self { file: FileBackend::new(file)?, syncs: Arc::clone(&syncs) }, syncs))
    }
}

type End = Bound<u64>;

#[deny(clippy::missing_trait_methods)]
impl StorageBackend for CountedFile {
    fn len(&self) -> Result<u64, Error> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<(), Error> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        self.file.write(offset, data)
    }

    fn close(&self) -> Result<(), Error> {
        self.file.close()
    }

    fn try_lock_range(&self, start: End, end: End) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: End, end: End) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: End, end: End) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: End, end: End) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: End, end: End) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: End, end: End) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
