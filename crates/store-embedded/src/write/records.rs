//! Records of conversations that were written lately, as the file has them.

use std::collections::HashMap;
use std::mem;

use foldhash::quality::RandomState;

use crate::record::Record;

/// What belongs to conversations, by their keys. A key is looked for several times in each operation,
/// so the hash is a fast one.
pub(super) type ByKey<T> = HashMap<Vec<u8>, T, RandomState>;

/// Records in one generation. A record has at most 31 rows, of about 20 bytes under one counter, so
/// both generations take one or two megabytes, and a few with many counters and long keys.
const GENERATION: usize = 1024;

/// What spares the writer a look-up for each operation on a conversation that it has just written.
///
/// Two generations: what is written goes to the younger; when that is full, the older is dropped
/// and the younger takes its place. So between one and two generations of the latest are kept, and
/// nothing has to be put in order when one is used.
#[derive(Debug, Default)]
pub(crate) struct Records {
    younger: ByKey<Box<Record>>,
    older: ByKey<Box<Record>>,
}

impl Records {
    /// The record under a key, where it is kept.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Record> {
        self.younger.get(key).or_else(|| self.older.get(key)).map(Box::as_ref)
    }

    /// Gives the record away, with its key: what is changed need not be copied.
    pub(crate) fn take(&mut self, key: &[u8]) -> Option<(Vec<u8>, Box<Record>)> {
        let (younger, older) = (self.younger.remove_entry(key), self.older.remove_entry(key));
        younger.or(older)
    }

    /// Keeps what was written.
    pub(crate) fn put(&mut self, key: Vec<u8>, record: Box<Record>) {
        if self.younger.len() >= GENERATION && !self.younger.contains_key(&key) {
            self.older = mem::take(&mut self.younger);
        }
        self.younger.insert(key, record);
    }

    /// Forgets what was removed.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        self.younger.remove(key);
        self.older.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use memory_core::Epoch;

    use super::*;

    fn record(number: u64) -> Box<Record> {
        Box::new(Record::new(number, Epoch::from_random(0), 0))
    }

    fn key(number: usize) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    fn number(records: &Records, place: usize) -> Option<u64> {
        records.get(&key(place)).map(|record| record.number)
    }

    #[test]
    fn the_latest_are_kept_and_the_oldest_forgotten() {
        let mut records = Records::default();
        for place in 0..=2 * GENERATION {
            records.put(key(place), record(place as u64));
        }
        assert_eq!(number(&records, 0), None);
        assert_eq!(number(&records, GENERATION), Some(GENERATION as u64));
        assert_eq!(number(&records, 2 * GENERATION), Some(2 * GENERATION as u64));
        assert!(records.younger.len() + records.older.len() <= 2 * GENERATION);
    }

    #[test]
    fn what_was_taken_is_gone_from_both_generations() {
        let mut records = Records::default();
        records.put(key(0), record(1));
        (1..=GENERATION).for_each(|place| records.put(key(place), record(0)));
        records.put(key(0), record(2));
        let (_, taken) = records.take(&key(0)).unwrap();
        assert_eq!(taken.number, 2);
        assert_eq!(number(&records, 0), None);
        assert!(records.take(&key(0)).is_none());
    }

    #[test]
    fn what_was_written_last_is_found_and_what_was_removed_is_not() {
        let mut records = Records::default();
        records.put(key(0), record(1));
        (1..=GENERATION).for_each(|place| records.put(key(place), record(0)));
        records.put(key(0), record(2));
        assert_eq!(number(&records, 0), Some(2));
        records.remove(&key(0));
        assert_eq!(number(&records, 0), None);
    }
}
