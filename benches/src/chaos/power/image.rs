//! What stands on a disk, life after life.

use std::sync::{Arc, Mutex, PoisonError};

use fastrand::Rng;
use memory_core::{MemoryStore, StoreError};
use store_embedded::EmbeddedStore;

use super::disk::Disk;
use crate::chaos::content::Counting;
use crate::chaos::error::Outcome;
use crate::chaos::expect::{Counts, Expected, Faults, Lost, Retry, observe, settle};
use crate::chaos::record::Record;
use crate::chaos::session::{Layout, Session};

/// A disk's content, and what the store on it must hold.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) content: Vec<u8>,
    seed: u64,
    round: u64,
    expected: Mutex<Expected>,
    retries: Vec<Retry>,
}

const COUNTING: Counting = Counting::Hash;

impl Image {
    pub(super) fn new(seed: u64) -> Self {
        let conversations = Layout::FEW.conversations(0);
        let expected = Expected::new(seed, COUNTING, Faults::Any, &conversations);
        Self {
            content: Vec::new(),
            seed,
            round: 0,
            expected: Mutex::new(expected),
            retries: Vec::new(),
        }
    }

    /// A disk with the content.
    pub(super) fn disk(&self, rng: &mut Rng) -> Disk {
        Disk::new(self.content.clone(), rng.u64(..))
    }

    pub(super) fn counts(&self) -> Counts {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner).counts()
    }

    /// Writes until the disk stops it, or enough was written.
    pub(super) async fn write(&mut self, store: &EmbeddedStore, rng: &mut Rng) -> Outcome<()> {
        self.round += 1;
        let session = Session {
            operations: Some(rng.u64(1..40)),
            retries: std::mem::take(&mut self.retries),
            ..Session::draw(self.seed, self.round, COUNTING, rng)
        };
        let note = |record: Record| {
            self.expected.lock().unwrap_or_else(PoisonError::into_inner).note(record)
        };
        session.write(Arc::new(store.clone()), &note).await
    }

    /// Compares what the content holds with what was acknowledged; the checked disk's content is
    /// the image's from then on.
    pub(super) async fn check(&mut self, rng: &mut Rng) -> Outcome<()> {
        let disk = self.disk(rng);
        let opened = open(&disk, rng).await?;
        let store: Arc<dyn MemoryStore> = Arc::new(opened.clone());
        let conversations = Layout::FEW.conversations(0);
        let observed = observe(&*store, &COUNTING.tally_id(), &conversations).await?;
        let expected = self.expected.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.retries = expected.resolve(&observed, Lost::Nothing)?;
        if rng.u8(..8) > 0 {
            settle(&store, COUNTING, expected.contents(), &conversations).await?;
        }
        opened.close().await;
        self.content = disk.content();
        Ok(())
    }
}

/// Opens a store on a disk, with a cache that may be so small that pages are written early.
pub(super) async fn open(disk: &Disk, rng: &mut Rng) -> Result<EmbeddedStore, StoreError> {
    let cache = [0, 64 << 10, 1 << 20][rng.usize(..3)];
    EmbeddedStore::builder().backend(disk.clone()).cache_bytes(cache).open_async().await
}
