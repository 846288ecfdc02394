//! Settles.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use memory_core::{Backlog, Fingerprint, MessageClass, Settle, Settled, Settlement, Tally, Totals};

use super::batch::Batch;
use crate::error::Fault;
use crate::record::Record;
use crate::row::{CounterCode, Row, block_of, place_in_block, put_row};
use crate::rows::with_block;

/// As [`MemoryStore::settle`](memory_core::MemoryStore::settle).
pub(crate) fn settle(batch: &mut Batch<'_>, key: &[u8], settle: &Settle) -> Result<Settled, Fault> {
    let all = settle.settlements.len() as u64;
    let live = batch.live(key)?.filter(|record| record.epoch == settle.epoch);
    let Some(mut record) = live else {
        return Ok(Settled { applied: 0, skipped: all, totals: Totals::EMPTY });
    };
    let known = batch.shared.counters.code(&settle.counter);
    let mut blocks = BTreeMap::new();
    let mut applying = Vec::new();
    for settlement in &settle.settlements {
        if applies(batch, &record, &mut blocks, known, settlement)? {
            applying.push(*settlement);
        }
    }
    if applying.is_empty() {
        return Ok(Settled { applied: 0, skipped: all, totals: record.totals(known) });
    }
    batch.check_counter(Some(&record), &settle.counter)?;
    // From here on nothing is refused.
    let code = batch.counter_code(&settle.counter)?;
    let was_indexed = record.indexed();
    let mut applied = 0;
    for settlement in &applying {
        let row = row_of(&mut blocks, settlement.seq.get());
        // An earlier settlement of this call may have changed the same message.
        if row.tally(code) != settlement.expected {
            continue;
        }
        let sum = record.sum_mut(code);
        if let Some(expected) = settlement.expected {
            sum.remove(expected);
        }
        sum.add(settlement.tally);
        row.set_tally(code, settlement.tally);
        applied += 1;
        if code == record.current {
            let (number, tally) = (settlement.seq.get(), Some(settlement.tally));
            follow(&mut record.pending_from, number, Backlog::Pending.holds(tally));
            follow(&mut record.fallback_from, number, Backlog::Fallback.holds(tally));
        }
    }
    write_back(batch, &mut record, blocks)?;
    let totals = record.totals(Some(code));
    batch.save(key, record, was_indexed)?;
    Ok(Settled { applied, skipped: all - applied, totals })
}

/// Keeps a mark at or before the first message that waits. Settlements mostly come in the order of
/// their seqs; the mark follows those.
fn follow(mark: &mut u64, number: u64, waits: bool) {
    if waits {
        *mark = (*mark).min(number);
    } else if *mark == number {
        *mark += 1;
    }
}

/// A row that can be changed.
struct OwnRow {
    class: MessageClass,
    fingerprint: Fingerprint,
    position: u64,
    tallies: Vec<(CounterCode, Tally)>,
}

impl OwnRow {
    fn of(row: &Row<'_>) -> Self {
        Self {
            class: row.class,
            fingerprint: row.fingerprint,
            position: row.position,
            tallies: row.tallies().collect(),
        }
    }

    fn tally(&self, code: CounterCode) -> Option<Tally> {
        self.tallies.iter().find(|(found, _)| *found == code).map(|(_, tally)| *tally)
    }

    fn set_tally(&mut self, code: CounterCode, tally: Tally) {
        match self.tallies.iter_mut().find(|(found, _)| *found == code) {
            Some((_, stored)) => *stored = tally,
            None => self.tallies.push((code, tally)),
        }
    }
}

type Blocks = BTreeMap<u64, Vec<OwnRow>>;

/// Whether a settlement still fits what is stored; loads the block that it is about.
fn applies(
    batch: &Batch<'_>,
    record: &Record,
    blocks: &mut Blocks,
    code: Option<CounterCode>,
    settlement: &Settlement,
) -> Result<bool, Fault> {
    let number = settlement.seq.get();
    if settlement.steps_back() || !record.retains(number) {
        return Ok(false);
    }
    let index = block_of(number);
    if let Entry::Vacant(vacant) = blocks.entry(index) {
        let own = |rows: &[Row<'_>]| rows.iter().map(OwnRow::of).collect();
        vacant.insert(with_block(&batch.tables.blocks, record, index, own)?);
    }
    let row = row_of(blocks, number);
    let expected = code.and_then(|code| row.tally(code)) == settlement.expected;
    Ok(row.fingerprint == settlement.fingerprint && expected)
}

fn row_of(blocks: &mut Blocks, number: u64) -> &mut OwnRow {
    let index = block_of(number);
    let rows = blocks.get_mut(&index).expect("the block was loaded when its row was checked");
    &mut rows[place_in_block(number)]
}

fn write_back(batch: &mut Batch<'_>, record: &mut Record, blocks: Blocks) -> Result<(), Fault> {
    for (index, rows) in blocks {
        let mut bytes = Vec::with_capacity(rows.len() * 24);
        for row in rows {
            put_row(&mut bytes, row.class, row.fingerprint, row.position, row.tallies);
        }
        if index == block_of(record.next_seq) {
            record.tail = bytes;
        } else {
            batch.tables.blocks.insert((record.number, index), bytes.as_slice())?;
        }
    }
    Ok(())
}
