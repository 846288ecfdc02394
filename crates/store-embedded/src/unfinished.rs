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
/// What the header takes of its page: 64 bytes of its own, and 128 for each of two commits.
const HEADER_BYTES: usize = 320;
/// Where the header has the size of a page.
const PAGE_SIZE: std::ops::Range<usize> = 12..16;
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

/// Whether the magic bytes are missing, wholly or in part, what follows them can be a header, and
/// nothing follows the header.
fn is_unfinished(storage: &dyn StorageBackend) -> Result<bool, Error> {
    let length = storage.len()?;
    if !SIZES.contains(&length) {
        return Ok(false);
    }
    let mut page = vec![0; usize::try_from(HEADER).map_err(Error::other)?];
    storage.read(0, &mut page)?;
    let (magic, page_size) = (&page[..MAGIC.len()], &page[PAGE_SIZE]);
    if magic == MAGIC || !may_be_torn(magic, MAGIC) {
        return Ok(false);
    }
    let written = HEADER.to_le_bytes();
    if !may_be_torn(page_size, &written) || !is_empty(&page[HEADER_BYTES..]) {
        return Ok(false);
    }
    let mut rest = vec![0; usize::try_from(length - HEADER).map_err(Error::other)?];
    storage.read(HEADER, &mut rest)?;
    Ok(is_empty(&rest))
}

/// Whether a write of these bytes over zeros can have left what was found.
fn may_be_torn(found: &[u8], written: &[u8]) -> bool {
    found.iter().zip(written).all(|(found, written)| *found == 0 || found == written)
}

fn is_empty(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
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
        check(storage(&[], LENGTH, 9, 7), true);
        check(storage(b"redb", LENGTH, 13, 0x10), true);
        check(storage(b"\0\0\0\0\0\0\xA9", LENGTH, 319, 7), true);
        // A whole database, one that lost its beginning, and what is none.
        check(storage(MAGIC, LENGTH, 12, 7), false);
        check(storage(&[], LENGTH, 12, 7), false);
        check(storage(&[], LENGTH, 320, 7), false);
        check(storage(&[], LENGTH, HEADER - 1, 7), false);
        check(storage(&[], LENGTH, HEADER, 7), false);
        check(storage(&[], LENGTH, LENGTH - 1, 7), false);
        check(storage(b"PK", LENGTH, 12, 7), false);
        check(storage(&[], 5000, 12, 0), false);
        check(storage(&[], 3 << 20, 12, 0), false);
    }
}
