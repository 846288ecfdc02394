//! A file whose creation was interrupted, before anything could be acknowledged on it.
//!
//! The database sizes a new file, writes its header, syncs, and only then writes the nine bytes
//! that say what the file is. A process that ends in between leaves a file that the database
//! refuses for ever. Nothing is in it, so it is made anew.

use std::io::Error;
use std::ops::Bound;

use crate::backend::StorageBackend;

/// What every database file begins with.
const MAGIC: &[u8; 9] = b"redb\x1A\x0A\xA9\x0D\x0A";
/// The header has this page for itself.
const HEADER: u64 = 4096;
/// The sizes between which a new file lies; the database takes 1 MiB and a little more.
const SIZES: std::ops::RangeInclusive<u64> = 1 << 20..=2 << 20;

/// Empties storage that holds no more than the beginning of a creation; whoever creates a database
/// right now has it locked, and is left alone.
pub(crate) fn start_over(storage: &dyn StorageBackend) -> Result<(), Error> {
    if !is_unfinished(storage)? {
        return Ok(());
    }
    match storage.try_lock_range(Bound::Included(0), Bound::Unbounded) {
        Ok(false) => Ok(()),
        Ok(true) => {
            // Whoever had the lock until now may have finished.
            let emptied = match is_unfinished(storage) {
                Ok(true) => storage.set_len(0),
                other => other.map(drop),
            };
            let unlocked = storage.unlock_range(Bound::Included(0), Bound::Unbounded);
            emptied.and(unlocked.map_err(Error::other))
        }
        // Storage without locks belongs to its owner alone.
        Err(_) => storage.set_len(0),
    }
}

/// Whether the magic bytes are missing, wholly or in part, and nothing follows the header.
fn is_unfinished(storage: &dyn StorageBackend) -> Result<bool, Error> {
    let length = storage.len()?;
    if !SIZES.contains(&length) {
        return Ok(false);
    }
    let mut magic = [0; MAGIC.len()];
    storage.read(0, &mut magic)?;
    let may_be_torn = magic.iter().zip(MAGIC).all(|(found, due)| *found == 0 || found == due);
    if magic == *MAGIC || !may_be_torn {
        return Ok(false);
    }
    let mut rest = vec![0; usize::try_from(length - HEADER).map_err(Error::other)?];
    storage.read(HEADER, &mut rest)?;
    Ok(rest.iter().all(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::InMemoryBackend;

    const LENGTH: u64 = (1 << 20) + 8192;

    /// Storage with some bytes at its beginning, and one further back.
    fn storage(begins: &[u8], length: u64, at: u64, byte: u8) -> InMemoryBackend {
        let storage = InMemoryBackend::new();
        storage.set_len(length).unwrap();
        storage.write(0, begins).unwrap();
        storage.write(at, &[byte]).unwrap();
        storage
    }

    #[test]
    fn only_the_beginning_of_a_creation_is_emptied() {
        let check = |storage: InMemoryBackend, is_emptied: bool| {
            let before = storage.len().unwrap();
            start_over(&storage).unwrap();
            assert_eq!(storage.len().unwrap(), if is_emptied { 0 } else { before });
        };
        check(storage(&[], LENGTH, 12, 7), true);
        check(storage(b"redb", LENGTH, 12, 7), true);
        check(storage(b"\0\0\0\0\0\0\xA9", LENGTH, 12, 7), true);
        // A whole database, one that lost its beginning, and what is none.
        check(storage(MAGIC, LENGTH, 12, 7), false);
        check(storage(&[], LENGTH, HEADER, 7), false);
        check(storage(&[], LENGTH, LENGTH - 1, 7), false);
        check(storage(b"PK", LENGTH, 12, 7), false);
        check(storage(&[], 5000, 12, 0), false);
        check(storage(&[], 3 << 20, 12, 0), false);
    }
}
