//! Dropping the newest messages.

use std::ops::ControlFlow;

use memory_core::{Dropped, MessageId, Seq};
use redb::ReadableTable;

use super::batch::Batch;
use crate::bytes::Damage;
use crate::error::Fault;
use crate::payloads::{decode, seq};
use crate::record::Record;
use crate::row::{block_of, first_rows};
use crate::rows::walk;

/// As [`MemoryStore::drop_newest`](memory_core::MemoryStore::drop_newest).
///
/// Seqs that a trim has passed are not given back: where the drop reaches into the head behind
/// such a gap, the next append takes the seq after the gap.
pub(crate) fn drop_newest(batch: &mut Batch<'_>, key: &[u8], count: u64) -> Result<Dropped, Fault> {
    let Some(record) = batch.live(key)? else {
        return Ok(Dropped { removed: 0, next_seq: Seq::FIRST });
    };
    let from_tail = count.min(record.next_seq - record.first);
    let from_head = (count - from_tail).min(record.leading);
    if from_tail + from_head == 0 {
        return Ok(Dropped { removed: 0, next_seq: seq(record.next_seq) });
    }
    let was_indexed = record.indexed();
    let trimmed = record.first > record.leading + 1;
    let head = record.leading + 1 - from_head..record.leading + 1;
    let tail = record.next_seq - from_tail..record.next_seq;
    let mut changed = record.clone();
    let mut gone = Vec::new();
    for range in [head.clone(), tail.clone()] {
        walk(&batch.tables.blocks, &record, range, |number, row| {
            for (code, tally) in row.tallies() {
                changed.sum_mut(code).remove(tally);
            }
            gone.push((number, row.position));
            ControlFlow::Continue(())
        })?;
    }
    changed.leading = head.start - 1;
    changed.next_seq = tail.start;
    if from_head > 0 && !trimmed {
        changed.first = head.start;
        changed.next_seq = head.start;
    }
    let ids = ids(batch, &record, &gone)?;
    let blocks = block_of(changed.next_seq)..block_of(record.next_seq);
    changed.tail = if blocks.is_empty() {
        first_rows(&record.tail, changed.tail_rows())?.to_vec()
    } else {
        let Some(block) = batch.tables.blocks.get((record.number, blocks.start))? else {
            return Err(Damage("a block of its messages is missing").into());
        };
        first_rows(block.value(), changed.tail_rows())?.to_vec()
    };
    // From here on nothing is refused.
    for (_, position) in &gone {
        batch.tables.payloads.remove(*position)?;
    }
    for id in ids {
        batch.tables.ids.remove((record.number, id))?;
    }
    for index in blocks {
        batch.tables.blocks.remove((record.number, index))?;
    }
    let next_seq = seq(changed.next_seq);
    batch.save(key, changed, was_indexed)?;
    Ok(Dropped { removed: from_tail + from_head, next_seq })
}

/// The digests of the caller's ids of some messages.
fn ids(batch: &Batch<'_>, record: &Record, gone: &[(u64, u64)]) -> Result<Vec<u128>, Fault> {
    let mut ids = Vec::new();
    for (number, position) in gone {
        let Some(entry) = batch.tables.payloads.get(*position)? else {
            return Err(Damage("the payload of a message is missing").into());
        };
        let (id, _) = decode(entry.value(), record.number, *number)?;
        if !id.is_empty() {
            let limits = memory_core::Limits { id_bytes: id.len(), ..batch.shared.limits };
            let id = MessageId::within(id, &limits).expect("an id of its own length");
            ids.push(batch.shared.digests.of_id(&id));
        }
    }
    Ok(ids)
}
