//! Sweeping up what nobody can reach any more, a little at a time.

use std::ops::ControlFlow;

use redb::ReadableTable;

use super::batch::Batch;
use crate::bytes::Damage;
use crate::error::Fault;
use crate::row::{BLOCK_ROWS, read_all_rows};
use crate::schema::EVERYTHING;

/// Ends lives that have expired and removes at most about `blocks` blocks of what is garbage.
///
/// # Errors
///
/// [`Fault::Backend`] only: what cannot be read is left where it is.
pub(crate) fn sweep_up(batch: &mut Batch<'_>, blocks: usize) -> Result<(), Fault> {
    for _ in 0..blocks {
        if end_one_life(batch)?.is_break() {
            break;
        }
    }
    let mut left = blocks;
    while left > 0 {
        let first = batch.tables.garbage.first()?;
        let Some((number, from, end)) = first.map(|(place, end)| {
            let (number, from) = place.value();
            (number, from, end.value())
        }) else {
            batch.state.garbage = false;
            break;
        };
        batch.changes += 1;
        let removed = remove_blocks(batch, number, from..end, left)?;
        left -= removed;
        if left == 0 {
            break;
        }
        if end == EVERYTHING {
            let ids = left * BLOCK_ROWS;
            let removed = remove_ids(batch, number, ids)?;
            left -= removed.div_ceil(BLOCK_ROWS).min(left);
            if removed == ids {
                break;
            }
        }
        batch.tables.garbage.remove((number, from))?;
        left = left.saturating_sub(1);
    }
    Ok(())
}

/// Ends the life that the index of expiries names first, where its time has come.
fn end_one_life(batch: &mut Batch<'_>) -> Result<ControlFlow<()>, Fault> {
    let first = batch.tables.expiries.first()?;
    let Some((at, key)) = first.map(|(entry, _)| {
        let (at, key) = entry.value();
        (at, key.to_vec())
    }) else {
        batch.state.next_expiry = None;
        return Ok(ControlFlow::Break(()));
    };
    batch.state.next_expiry = Some(at);
    if at > batch.now.as_millis() {
        return Ok(ControlFlow::Break(()));
    }
    batch.changes += 1;
    batch.tables.expiries.remove((at, key.as_slice()))?;
    let record = match batch.stored(&key) {
        Ok(record) => record.filter(|record| record.expiry_noted == Some(at)),
        // Whoever uses the conversation is told.
        Err(Fault::Damaged(_)) => None,
        Err(fault) => return Err(fault),
    };
    let Some(mut record) = record else { return Ok(ControlFlow::Continue(())) };
    if record.has_expired(batch.now) {
        batch.bury(&key, &record)?;
    } else {
        // It was put off, or called off; where it has a time, saving notes that time.
        record.expiry_noted = None;
        let was_indexed = record.indexed();
        batch.save(&key, record, was_indexed)?;
    }
    Ok(ControlFlow::Continue(()))
}

/// Removes blocks with the payloads of their rows; each block wholly in this transaction, so that
/// no row outlives its payload.
fn remove_blocks(
    batch: &mut Batch<'_>,
    number: u64,
    range: std::ops::Range<u64>,
    limit: usize,
) -> Result<usize, Fault> {
    let mut found = Vec::new();
    let places = (number, range.start)..(number, range.end);
    for entry in batch.tables.blocks.range(places)?.take(limit) {
        let (place, block) = entry?;
        let positions = positions(block.value()).unwrap_or_default();
        found.push((place.value(), positions));
    }
    for (place, positions) in &found {
        for position in positions {
            batch.tables.payloads.remove(*position)?;
        }
        batch.tables.blocks.remove(*place)?;
    }
    Ok(found.len())
}

fn positions(block: &[u8]) -> Result<Vec<u64>, Damage> {
    // The last block of a life may be shorter than others.
    Ok(read_all_rows(block)?.iter().map(|row| row.position).collect())
}

fn remove_ids(batch: &mut Batch<'_>, number: u64, limit: usize) -> Result<usize, Fault> {
    let mut found = Vec::new();
    for entry in batch.tables.ids.range((number, 0)..=(number, u128::MAX))?.take(limit) {
        found.push(entry?.0.value());
    }
    for place in &found {
        batch.tables.ids.remove(*place)?;
    }
    Ok(found.len())
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use memory_core::{
        Append, Clock, ConversationId, ConversationKey, CounterId, Epoch, Fingerprint, ManualClock,
        Message, MessageId, Namespace, NewMessage, Seq, Tally, Timestamp, Trim,
    };
    use redb::ReadableTableMetadata;

    use super::*;
    use crate::EmbeddedStore;
    use crate::open::{Opened, open};
    use crate::schema::{Tables, storage_key};
    use crate::write::{self, Prepared};

    /// A store without threads.
    pub(in crate::write) struct Bare {
        opened: Opened,
        clock: Arc<ManualClock>,
    }

    impl Bare {
        pub(in crate::write) fn new(time_to_live: Option<Duration>) -> Self {
            let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000)));
            let builder = EmbeddedStore::builder().in_memory().clock(clock.clone());
            Self { opened: open(builder.time_to_live(time_to_live)).unwrap(), clock }
        }

        pub(in crate::write) fn commit<T>(&mut self, run: impl FnOnce(&mut Batch<'_>) -> T) -> T {
            let transaction = self.opened.database.begin_write().unwrap();
            let tables = Tables::open(&transaction).unwrap();
            let mut batch = Batch::new(tables, &mut self.opened.state, &self.opened.shared);
            let result = run(&mut batch);
            batch.finish().unwrap();
            drop(batch);
            transaction.commit().unwrap();
            result
        }

        pub(in crate::write) fn append(&mut self, count: usize) {
            self.append_to("a", count);
        }

        pub(in crate::write) fn append_to(&mut self, id: &str, count: usize) {
            let prepared = self.prepared(id, count);
            self.commit(|batch| write::append(batch, &key_of(id), &prepared)).unwrap();
        }

        /// The ids of all current counters, each once.
        pub(in crate::write) fn current_counters(&mut self) -> Vec<String> {
            let codes: std::collections::BTreeSet<_> = self.commit(|batch| {
                let records = batch.tables.conversations.iter().unwrap();
                let current = |value: &[u8]| crate::record::Record::decode(value).unwrap().current;
                records.map(|entry| current(entry.unwrap().1.value())).collect()
            });
            let id = |code| self.opened.shared.counters.id(code).unwrap().to_string();
            let mut ids: Vec<_> = codes.into_iter().map(id).collect();
            ids.sort();
            ids
        }

        pub(in crate::write) fn prepared(&self, id: &str, count: usize) -> Prepared {
            let shared = &self.opened.shared;
            let message = |index: usize| {
                let fingerprint = Fingerprint::from_random(index as u128);
                let message = Message::user("hello");
                let mut new = NewMessage::new(&message, fingerprint, Tally::estimated(5));
                new.id = Some(MessageId::new(format!("{index} of {count}")).unwrap());
                new
            };
            let append = Append {
                counter: CounterId::new("words").unwrap(),
                new_epoch: Epoch::from_random(1),
                messages: (0..count).map(message).collect(),
                grace: Duration::ZERO,
            };
            let key = conversation(id);
            Prepared::new(&key, append, &shared.limits, &shared.digests).unwrap()
        }

        pub(in crate::write) fn epoch(&mut self) -> Epoch {
            self.commit(|batch| batch.stored(&key()).unwrap().unwrap().epoch)
        }

        /// How many rows the tables of one conversation have: conversations, blocks, payloads,
        /// ids, pendings and expiries.
        fn rows(&mut self) -> [u64; 6] {
            self.commit(|batch| {
                let tables = &batch.tables;
                [
                    tables.conversations.len().unwrap(),
                    tables.blocks.len().unwrap(),
                    tables.payloads.len().unwrap(),
                    tables.ids.len().unwrap(),
                    tables.pending.len().unwrap(),
                    tables.expiries.len().unwrap(),
                ]
            })
        }

        /// Sweeps as long as there is something to sweep; how many steps that took.
        fn sweep(&mut self, blocks: usize) -> usize {
            let mut steps = 0;
            while self.opened.state.has_chores(self.clock.now()) {
                self.commit(|batch| sweep_up(batch, blocks)).unwrap();
                steps += 1;
                assert!(steps < 1000, "sweeping does not end");
            }
            steps
        }
    }

    pub(in crate::write) fn key() -> Vec<u8> {
        key_of("a")
    }

    pub(in crate::write) fn key_of(id: &str) -> Vec<u8> {
        storage_key(&conversation(id))
    }

    fn conversation(id: &str) -> ConversationKey {
        ConversationKey::new(Namespace::default(), ConversationId::new(id).unwrap())
    }

    #[test]
    fn what_was_cleared_is_swept_up_in_small_steps() {
        let mut bare = Bare::new(None);
        bare.append(1000);
        assert_eq!(bare.rows(), [1, 31, 1000, 1000, 1, 0]);
        bare.commit(|batch| write::clear(batch, &key())).unwrap();
        let [conversations, blocks, payloads, ..] = bare.rows();
        assert_eq!((conversations, blocks, payloads), (0, 32, 1000));
        let steps = bare.sweep(4);
        assert_eq!(bare.rows(), [0; 6]);
        assert!(steps > 8, "32 blocks went in {steps} steps of 4");
    }

    #[test]
    fn what_was_trimmed_is_swept_up_and_ids_stay() {
        let mut bare = Bare::new(None);
        bare.append(1000);
        let trim =
            |before: u64| Trim { epoch: Epoch::from_random(1), before: Seq::FIRST.plus(before) };
        for before in [10, 100, 101, 640] {
            bare.commit(|batch| write::trim(batch, &key(), trim(before))).unwrap();
        }
        bare.sweep(3);
        assert_eq!(bare.rows(), [1, 11, 360, 1000, 1, 0]);
        bare.commit(|batch| write::drop_newest(batch, &key(), 400)).unwrap();
        bare.sweep(3);
        assert_eq!(bare.rows(), [1, 0, 0, 640, 0, 0]);
        bare.append(5);
        bare.commit(|batch| write::clear(batch, &key())).unwrap();
        bare.sweep(3);
        assert_eq!(bare.rows(), [0; 6]);
    }

    #[test]
    fn what_has_expired_is_swept_up_at_its_latest_time() {
        let mut bare = Bare::new(Some(Duration::from_secs(10)));
        bare.append(40);
        bare.clock.advance(Duration::from_secs(8));
        bare.append(41);
        bare.clock.advance(Duration::from_secs(8));
        bare.sweep(4);
        assert_eq!(bare.rows()[0], 1, "a life that was put off");
        bare.clock.advance(Duration::from_secs(3));
        bare.sweep(4);
        assert_eq!(bare.rows(), [0; 6]);
    }

    #[test]
    fn what_began_anew_is_not_swept_up_with_the_life_before() {
        let mut bare = Bare::new(Some(Duration::from_secs(10)));
        bare.append(40);
        bare.clock.advance(Duration::from_secs(11));
        bare.append(41);
        bare.sweep(4);
        assert_eq!(bare.rows(), [1, 1, 41, 41, 1, 1]);
        bare.commit(|batch| write::expire(batch, &key(), None)).unwrap();
        bare.clock.advance(Duration::from_mins(1));
        bare.sweep(4);
        assert_eq!(bare.rows(), [1, 1, 41, 41, 1, 0]);
    }

    #[test]
    fn numbers_are_not_given_out_again_after_the_last_payload_is_gone() {
        let mut bare = Bare::new(None);
        bare.append(3);
        bare.commit(|batch| write::drop_newest(batch, &key(), 3)).unwrap();
        let reserved = |batch: &mut Batch<'_>| {
            crate::schema::meta_number(&batch.tables.meta, crate::schema::META_POSITIONS).unwrap()
        };
        assert!(bare.commit(reserved) >= 3);
    }
}
