//! Writes that wait in memory.

use std::io::Error;
use std::ops::Range;

use redb::StorageBackend;

/// Most bytes that are kept to be used again. Commits of a few hundred operations fit.
const SPARE_BYTES: usize = 2 << 20;
/// What the database mostly writes at once.
const PAGE_BYTES: usize = 4096;

/// Writes in their order.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    bytes: Vec<u8>,
    /// Where each goes, and where it stands in `bytes`.
    places: Vec<(u64, Range<usize>)>,
}

impl Writes {
    pub(crate) const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How many bytes they are together.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn push(&mut self, offset: u64, data: &[u8]) {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(data);
        self.places.push((offset, begin..self.bytes.len()));
    }

    /// Whether some of them are where these bytes are.
    pub(crate) fn touch(&self, offset: u64, length: usize) -> bool {
        let end = offset + length as u64;
        let touches =
            |(at, place): &(u64, Range<usize>)| *at < end && offset < at + place.len() as u64;
        self.places.iter().any(touches)
    }

    /// Writes all of it, what is adjacent at once.
    pub(crate) fn write(&self, storage: &dyn StorageBackend) -> Result<(), Error> {
        let Some(places) = self.sorted() else {
            let mut places = self.places.iter();
            return places
                .try_for_each(|(at, place)| storage.write(*at, &self.bytes[place.clone()]));
        };
        let mut together = Vec::new();
        for adjacent in places.chunk_by(|(at, place), (next, _)| at + place.len() as u64 == *next) {
            let bytes = if let [(_, place)] = adjacent {
                &self.bytes[place.clone()]
            } else {
                together.clear();
                for (_, place) in adjacent {
                    together.extend_from_slice(&self.bytes[place.clone()]);
                }
                &together
            };
            storage.write(adjacent[0].0, bytes)?;
        }
        Ok(())
    }

    /// The places in the order of the storage, unless some overlap: then theirs matters.
    fn sorted(&self) -> Option<Vec<(u64, Range<usize>)>> {
        let mut places = self.places.clone();
        places.sort_unstable_by_key(|(at, _)| *at);
        let apart = |pair: &[(u64, Range<usize>)]| pair[0].0 + pair[0].1.len() as u64 <= pair[1].0;
        places.windows(2).all(apart).then_some(places)
    }

    /// Forgets them, and keeps most of the room.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(SPARE_BYTES);
        self.places.clear();
        self.places.shrink_to(SPARE_BYTES / PAGE_BYTES);
    }
}
