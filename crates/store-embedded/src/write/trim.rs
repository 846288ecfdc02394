//! Trims.

use std::ops::ControlFlow;

use memory_core::{MessageClass, Seq, Trim, Trimmed};

use super::batch::Batch;
use crate::error::Fault;
use crate::payloads::seq;
use crate::record::Record;
use crate::row::{block_of, block_start};
use crate::rows::{walk, walk_back};

/// As [`MemoryStore::trim`](memory_core::MemoryStore::trim).
pub(crate) fn trim(batch: &mut Batch<'_>, key: &[u8], trim: Trim) -> Result<Trimmed, Fault> {
    let Some(mut record) = batch.live(key)? else {
        return Ok(Trimmed { removed: 0, first: Seq::FIRST });
    };
    let kept = Trimmed { removed: 0, first: seq(record.first) };
    if record.epoch != trim.epoch || trim.before.get() <= record.first {
        return Ok(kept);
    }
    let cut = cut(batch, &record, trim.before.get())?;
    if cut <= record.first {
        return Ok(kept);
    }
    let was_indexed = record.indexed();
    let (first, leading) = (record.first, record.leading);
    // The sums are a walk over the rows; the rows themselves go later, by whole blocks.
    let mut sums = record.sums.clone();
    let mut payloads = Vec::new();
    let whole = whole_blocks(first, leading, cut);
    walk(&batch.tables.blocks, &record, first..cut, |number, row| {
        for (code, tally) in row.tallies() {
            if let Some(sum) = sums.iter_mut().find(|sum| sum.code == code) {
                sum.remove(tally);
            }
        }
        if !whole.contains(&block_of(number)) {
            payloads.push(row.position);
        }
        ControlFlow::Continue(())
    })?;
    for position in payloads {
        batch.tables.payloads.remove(position)?;
    }
    if !whole.is_empty() {
        batch.discard(record.number, whole.start, whole.end)?;
    }
    record.sums = sums;
    record.first = cut;
    batch.save(key, record, was_indexed)?;
    Ok(Trimmed { removed: cut - first, first: seq(cut) })
}

/// The blocks of which a cut leaves nothing.
///
/// The block of the cut itself is never among them: it is the newest one, or some of it stays, and
/// dropping the newest messages may make it the newest one again.
fn whole_blocks(first: u64, leading: u64, cut: u64) -> std::ops::Range<u64> {
    let from = block_of(first);
    let from = if leading >= block_start(from) { from + 1 } else { from };
    from..block_of(cut).max(from)
}

/// Where a cut at `before` falls so that it splits no group, as far as classes tell.
///
/// It splits one where a result stands behind it, before the next boundary, and the boundary
/// before it is a call.
fn cut(batch: &Batch<'_>, record: &Record, before: u64) -> Result<u64, Fault> {
    let before = before.min(record.next_seq);
    let mut splits = false;
    walk(&batch.tables.blocks, record, before..record.next_seq, |_, row| {
        splits = row.class == MessageClass::Result;
        if splits || row.class.is_boundary() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let mut cut = before;
    if splits {
        walk_back(&batch.tables.blocks, record, record.first..before, |number, row| {
            if row.class == MessageClass::Call {
                cut = number;
            }
            if row.class.is_boundary() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    Ok(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_without_a_retained_or_new_message_are_discarded() {
        let check = |first, leading, cut, expected: std::ops::Range<u64>| {
            assert_eq!(whole_blocks(first, leading, cut), expected, "{first} {leading} {cut}");
        };
        check(1, 0, 32, 0..0);
        check(1, 0, 33, 0..1);
        check(1, 0, 100, 0..3);
        check(2, 1, 100, 1..3);
        check(2, 1, 20, 1..1);
        check(40, 1, 100, 1..3);
        check(34, 33, 100, 2..3);
    }
}
