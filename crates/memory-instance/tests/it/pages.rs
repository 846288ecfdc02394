//! A file in memory that outlives the store on it.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use store_embedded::backend::StorageBackend;

/// Clones are the same file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pages(Arc<Mutex<Vec<u8>>>);

impl Pages {
    /// What a process that is killed at this moment leaves behind.
    pub(crate) fn after_a_kill(&self) -> Self {
        Self(Arc::new(Mutex::new(self.bytes().clone())))
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("a test's file fits memory")
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
        let target = bytes.get_mut(start..start + data.len());
        target.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?.copy_from_slice(data);
        Ok(())
    }
}
