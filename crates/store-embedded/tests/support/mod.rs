//! Storage whose content can be taken at any moment.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store_embedded::backend::StorageBackend;

/// Pages in memory that outlive the store on them. Clones are the same pages.
#[derive(Clone, Default)]
pub(crate) struct Pages(Arc<Mutex<Vec<u8>>>);

impl Pages {
    /// What a process that is killed at this moment leaves behind.
    pub(crate) fn after_a_kill(&self) -> Self {
        Self(Arc::new(Mutex::new(self.bytes().clone())))
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("len", &self.bytes().len()).finish()
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("a test's pages fit memory")
}

impl StorageBackend for Pages {
    fn len(&self) -> Result<u64, Error> {
        Ok(self.bytes().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let (bytes, start) = (self.bytes(), place(offset));
        let found = bytes.get(start..start + out.len());
        out.copy_from_slice(found.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        self.bytes().resize(place(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), Error> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let (mut bytes, start) = (self.bytes(), place(offset));
        let end = start + data.len();
        let target = bytes.get_mut(start..end);
        target.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?.copy_from_slice(data);
        Ok(())
    }
}
