//! The writer's open transaction, and what every operation in it does alike.

use std::ops::{Bound, RangeBounds};

use memory_core::{Backlog, CounterId, LimitKind, Timestamp};
use redb::ReadableTable;

use super::records::{ByKey, Records};
use crate::error::Fault;
use crate::leases::Leased;
use crate::record::{Indexed, Record};
use crate::row::{CounterCode, block_of};
use crate::schema::{EVERYTHING, META_NUMBERS, META_POSITIONS, Tables};
use crate::shared::Shared;

/// Numbers that are given out once, also when the process ends at any moment.
///
/// They are reserved in the file many at a time, so that few transactions write the reservation.
/// What was reserved and not used when the process ends is never used.
#[derive(Debug)]
pub(crate) struct Numbers {
    name: &'static str,
    next: u64,
    reserved: u64,
}

const RESERVE: u64 = 1 << 16;

impl Numbers {
    /// Continues where the reservation in the file ends.
    pub(crate) const fn after(name: &'static str, reserved: u64) -> Self {
        Self { name, next: reserved, reserved }
    }

    fn take(&mut self, tables: &mut Tables<'_>) -> Result<u64, Fault> {
        if self.next == self.reserved {
            self.reserved += RESERVE;
            tables.meta.insert(self.name, self.reserved.to_le_bytes().as_slice())?;
        }
        self.next += 1;
        Ok(self.next - 1)
    }
}

/// What the writer keeps between transactions.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) numbers: Numbers,
    pub(crate) positions: Numbers,
    /// The earliest time in the index of expiries.
    pub(crate) next_expiry: Option<u64>,
    /// Whether there is garbage to sweep up.
    pub(crate) garbage: bool,
    /// Nobody but the writer changes records, and after a transaction that failed it writes none:
    /// so what is kept here is what the file holds.
    records: Records,
}

impl State {
    /// The state for a file with these reservations.
    pub(crate) fn new(numbers: u64, positions: u64) -> Self {
        Self {
            numbers: Numbers::after(META_NUMBERS, numbers),
            positions: Numbers::after(META_POSITIONS, positions),
            // Both are looked up when the first transaction has ended.
            next_expiry: Some(0),
            garbage: true,
            records: Records::default(),
        }
    }

    /// Whether there is something to do while nobody waits.
    pub(crate) fn has_chores(&self, now: Timestamp) -> bool {
        self.garbage || self.next_expiry.is_some_and(|at| at <= now.as_millis())
    }
}

/// One transaction that is being filled.
///
/// An operation checks everything before it changes anything here: then an operation that is
/// refused leaves no trace among the others.
pub(crate) struct Batch<'t> {
    pub(crate) tables: Tables<'t>,
    pub(crate) state: &'t mut State,
    pub(crate) shared: &'t Shared,
    pub(crate) now: Timestamp,
    /// How many changes were made; a transaction without any is not committed.
    pub(crate) changes: u64,
    /// Leases that end with the commit.
    pub(crate) ended: Vec<Leased>,
    pub(crate) scratch: Vec<u8>,
    /// Records that were changed, and none for those that were removed: a conversation that many
    /// operations of the transaction change is written once.
    records: ByKey<Option<Box<Record>>>,
}

impl<'t> Batch<'t> {
    pub(crate) fn new(tables: Tables<'t>, state: &'t mut State, shared: &'t Shared) -> Self {
        Self {
            tables,
            state,
            shared,
            now: shared.clock.now(),
            changes: 0,
            ended: Vec::new(),
            scratch: Vec::new(),
            records: ByKey::default(),
        }
    }

    /// Writes what was changed, in the order of the table. Nothing may be changed afterwards.
    pub(crate) fn finish(&mut self) -> Result<(), redb::StorageError> {
        let mut records: Vec<_> = std::mem::take(&mut self.records).into_iter().collect();
        records.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (key, record) in records {
            if let Some(record) = record {
                record.encode(&mut self.scratch);
                self.tables.conversations.insert(key.as_slice(), self.scratch.as_slice())?;
                self.state.records.put(key, record);
            } else {
                self.tables.conversations.remove(key.as_slice())?;
                self.state.records.remove(&key);
            }
        }
        Ok(())
    }

    /// The conversation's record, also where it has expired.
    pub(crate) fn stored(&self, key: &[u8]) -> Result<Option<Record>, Fault> {
        if self.records.contains_key(key) || self.state.records.get(key).is_some() {
            return Ok(self.kept(key).cloned());
        }
        self.read(key)
    }

    /// Has [`kept`](Self::kept) and [`take`](Self::take) find the conversation's record, where
    /// there is one.
    pub(crate) fn load(&mut self, key: &[u8]) -> Result<(), Fault> {
        if !self.records.contains_key(key)
            && self.state.records.get(key).is_none()
            && let Some(record) = self.read(key)?
        {
            self.state.records.put(key.to_vec(), Box::new(record));
        }
        Ok(())
    }

    /// The conversation's record, also where it has expired, after [`load`](Self::load).
    pub(crate) fn kept(&self, key: &[u8]) -> Option<&Record> {
        match self.records.get(key) {
            Some(record) => record.as_deref(),
            None => self.state.records.get(key),
        }
    }

    /// Gives [`kept`](Self::kept) away, to be changed without a copy. What becomes of it must be
    /// [saved](Self::save), or the transaction fail.
    pub(crate) fn take(&mut self, key: &[u8]) -> Option<Box<Record>> {
        self.changes += 1;
        if let Some(record) = self.records.get_mut(key) {
            return record.take();
        }
        let (key, record) = self.state.records.take(key)?;
        self.records.insert(key, None);
        Some(record)
    }

    fn read(&self, key: &[u8]) -> Result<Option<Record>, Fault> {
        match self.tables.conversations.get(key)? {
            Some(value) => Ok(Some(Record::decode(value.value())?)),
            None => Ok(None),
        }
    }

    /// Has the record read from the file again, unless this transaction has changed it.
    pub(crate) fn look_again(&mut self, key: &[u8]) {
        self.state.records.remove(key);
    }

    /// The keys between two others under which this transaction has changed something, in no order.
    pub(crate) fn begun(&self, after: &[u8], until: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        let range = (Bound::Excluded(after), Bound::Included(until));
        self.records
            .keys()
            .filter(move |key| RangeBounds::<[u8]>::contains(&range, key.as_slice()))
            .cloned()
    }

    /// The conversation's record, unless it has expired.
    pub(crate) fn live(&self, key: &[u8]) -> Result<Option<Record>, Fault> {
        Ok(self.stored(key)?.filter(|record| !record.has_expired(self.now)))
    }

    /// Stores a changed record, with its place in the indexes.
    pub(crate) fn save(
        &mut self,
        key: &[u8],
        record: impl Into<Box<Record>>,
        was_indexed: Indexed,
    ) -> Result<(), Fault> {
        let mut record = record.into();
        self.changes += 1;
        let indexed = record.indexed();
        for (backlog, index, was, is) in [
            (Backlog::Pending, &mut self.tables.pending, was_indexed.pending, indexed.pending),
            (Backlog::Fallback, &mut self.tables.fallbacks, was_indexed.fallback, indexed.fallback),
        ] {
            if was == is {
                continue;
            }
            let lease = (record.number, backlog);
            if let Some(entry) = is {
                index.insert(key, entry)?;
                // An earlier operation of this transaction may have ended the lease before.
                self.ended.retain(|ended| *ended != lease);
            } else {
                index.remove(key)?;
                self.ended.push(lease);
            }
        }
        self.note_expiry(key, &mut record)?;
        self.keep(key, Some(record));
        Ok(())
    }

    /// Ends a life. Its rows and payloads are swept up later.
    pub(crate) fn bury(&mut self, key: &[u8], record: &Record) -> Result<(), Fault> {
        self.changes += 1;
        if !record.tail.is_empty() {
            // The garbage is found through the blocks.
            let place = (record.number, block_of(record.next_seq));
            self.tables.blocks.insert(place, record.tail.as_slice())?;
        }
        self.discard(record.number, 0, EVERYTHING)?;
        let indexed = record.indexed();
        if indexed.pending.is_some() {
            self.tables.pending.remove(key)?;
        }
        if indexed.fallback.is_some() {
            self.tables.fallbacks.remove(key)?;
        }
        if let Some(noted) = record.expiry_noted {
            self.tables.expiries.remove((noted, key))?;
        }
        self.ended.extend(Backlog::ALL.map(|backlog| (record.number, backlog)));
        self.keep(key, None);
        Ok(())
    }

    /// Removes a record that cannot be read.
    pub(crate) fn forget(&mut self, key: &[u8]) -> Result<(), Fault> {
        self.changes += 1;
        self.tables.pending.remove(key)?;
        self.tables.fallbacks.remove(key)?;
        self.keep(key, None);
        Ok(())
    }

    fn keep(&mut self, key: &[u8], record: Option<Box<Record>>) {
        if let Some(kept) = self.records.get_mut(key) {
            *kept = record;
        } else {
            self.records.insert(key.to_vec(), record);
        }
    }

    /// Leaves some blocks to be swept up later.
    pub(crate) fn discard(&mut self, number: u64, from: u64, end: u64) -> Result<(), Fault> {
        self.tables.garbage.insert((number, from), end)?;
        self.state.garbage = true;
        Ok(())
    }

    /// Checks that a conversation may be counted under one more counter, where it is one more.
    pub(crate) fn check_counter(
        &self,
        record: Option<&Record>,
        counter: &CounterId,
    ) -> Result<(), Fault> {
        let Some(record) = record else { return Ok(()) };
        let code = self.shared.counters.code(counter);
        if code.and_then(|code| record.sum(code)).is_none() {
            self.shared.limits.check(LimitKind::Counters, record.sums.len() + 1)?;
        }
        Ok(())
    }

    /// The counter's code; a new one is written with the transaction.
    pub(crate) fn counter_code(&mut self, counter: &CounterId) -> Result<CounterCode, Fault> {
        if let Some(code) = self.shared.counters.code(counter) {
            return Ok(code);
        }
        let code = self.shared.counters.add(counter.clone());
        self.tables.counters.insert(code, counter.as_str())?;
        Ok(code)
    }

    pub(crate) fn next_number(&mut self) -> Result<u64, Fault> {
        self.state.numbers.take(&mut self.tables)
    }

    pub(crate) fn next_position(&mut self) -> Result<u64, Fault> {
        self.state.positions.take(&mut self.tables)
    }

    /// Keeps the index of expiries early enough: it may name a time that has been put off since,
    /// so that putting it off at every append costs nothing.
    fn note_expiry(&mut self, key: &[u8], record: &mut Record) -> Result<(), Fault> {
        let Some(at) = record.expires_at else { return Ok(()) };
        if record.expiry_noted.is_some_and(|noted| noted <= at) {
            return Ok(());
        }
        if let Some(noted) = record.expiry_noted.replace(at) {
            self.tables.expiries.remove((noted, key))?;
        }
        self.tables.expiries.insert((at, key), ())?;
        self.state.next_expiry = Some(self.state.next_expiry.map_or(at, |next| next.min(at)));
        Ok(())
    }
}
