//! How a store is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use memory_core::{Clock, Limits, StoreError, SystemClock};

use crate::backend::StorageBackend;
use crate::error::{EmbeddedError, cannot_open};
use crate::store::EmbeddedStore;
use crate::threads;

/// What an acknowledged append survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Durability {
    /// The end of the process at any moment, and of the machine.
    #[default]
    Sync,
    /// The end of the process at any moment. If the machine ends, the file may be destroyed.
    Relaxed,
}

/// Where the pages of the database are.
#[derive(Debug)]
pub(crate) enum Place {
    File(PathBuf),
    Memory,
    Backend(Box<dyn StorageBackend>),
}

/// Says how a store is opened; see [`EmbeddedStore::builder`].
#[derive(Debug)]
#[must_use]
pub struct EmbeddedStoreBuilder {
    pub(crate) place: Option<Place>,
    pub(crate) durability: Durability,
    pub(crate) cache_bytes: usize,
    pub(crate) queue: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) time_to_live: Option<Duration>,
}

impl EmbeddedStoreBuilder {
    pub(crate) fn new() -> Self {
        Self {
            place: None,
            durability: Durability::default(),
            cache_bytes: 64 << 20,
            queue: 1024,
            clock: Arc::new(SystemClock),
            limits: Limits::default(),
            time_to_live: None,
        }
    }

    /// Keeps everything in this file.
    ///
    /// The file is created with mode 0600 where there is none, and directories that are missing on
    /// the way with mode 0700. A symbolic link is followed.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.place = Some(Place::File(path.into()));
        self
    }

    /// Keeps everything in memory, for tests: it is gone when the store is closed or dropped.
    pub fn in_memory(mut self) -> Self {
        self.place = Some(Place::Memory);
        self
    }

    /// What an acknowledged append survives (default [`Durability::Sync`]). Without effect in
    /// memory.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How much memory the database's cache may take, in bytes (default 64 MiB).
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// How many operations may wait for the writer, and as many for the readers (default 1024).
    /// Further ones wait in their own futures.
    pub fn queue(mut self, operations: usize) -> Self {
        self.queue = operations;
        self
    }

    /// What tells the time for expiry and leases (default: the machine's clock).
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The bounds on input (default: [`Limits::default`]).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long a conversation lives after its last append (default: for ever).
    ///
    /// Every append that writes something sets the time anew. What has expired is gone to every
    /// operation at once; its space is reclaimed while the store is written to.
    pub fn time_to_live(mut self, time_to_live: Option<Duration>) -> Self {
        self.time_to_live = time_to_live;
        self
    }

    /// Opens the store, and creates it where there is none.
    ///
    /// After a crash the whole file is read and checked: 300 MB took 1.6 s on 2 busy cores.
    /// This blocks; asynchronous code calls [`open_async`](Self::open_async).
    ///
    /// # Errors
    ///
    /// - [`StoreError::InUse`] where another process, or another store of this one, has the file.
    /// - [`StoreError::UnknownFormat`] where another version of Turnledger wrote it.
    /// - [`StoreError::Damaged`] where it is no store, or is not whole.
    /// - [`StoreError::Backend`] with an [`EmbeddedError`] as its source for what else can go
    ///   wrong.
    pub fn open(self) -> Result<EmbeddedStore, StoreError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.check()?;
        threads::start(self, move |result| {
            // Where nobody waits any more, the store closes again.
            let _ = sender.send(result);
        })?;
        receiver.recv().unwrap_or_else(|_| Err(cannot_open(EmbeddedError::ThreadEnded)))
    }

    /// As [`open`](Self::open), on a thread of the store's own.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the store again as soon as it is open.
    pub async fn open_async(self) -> Result<EmbeddedStore, StoreError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.check()?;
        threads::start(self, move |result| {
            let _ = sender.send(result);
        })?;
        receiver.await.unwrap_or_else(|_| Err(cannot_open(EmbeddedError::ThreadEnded)))
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.place.is_none() {
            return Err(cannot_open(EmbeddedError::NoPlace));
        }
        if self.queue == 0 {
            return Err(cannot_open(EmbeddedError::NoQueue));
        }
        Ok(())
    }
}
