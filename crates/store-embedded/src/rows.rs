//! Walks over the rows of a conversation, wherever they lie.

use std::ops::{ControlFlow, Range};

use redb::ReadableTable;

use crate::bytes::Damage;
use crate::error::Fault;
use crate::record::Record;
use crate::row::{BLOCK, Row, block_of, block_start, read_rows};
use crate::schema::Bytes;

/// Shows the rows of some seqs, oldest first, until `see` breaks.
///
/// Every seq of the range must be below the record's `next_seq`.
pub(crate) fn walk(
    blocks: &impl ReadableTable<(u64, u64), Bytes>,
    record: &Record,
    range: Range<u64>,
    mut see: impl FnMut(u64, &Row<'_>) -> ControlFlow<()>,
) -> Result<(), Fault> {
    if range.is_empty() {
        return Ok(());
    }
    for index in block_of(range.start)..=block_of(range.end - 1) {
        let step = with_block(blocks, record, index, |rows| {
            let rows = rows.iter().zip(block_start(index)..);
            rows.filter(|(_, seq)| range.contains(seq)).try_for_each(|(row, seq)| see(seq, row))
        })?;
        if step.is_break() {
            break;
        }
    }
    Ok(())
}

/// Shows the rows of some seqs, newest first, until `see` breaks.
pub(crate) fn walk_back(
    blocks: &impl ReadableTable<(u64, u64), Bytes>,
    record: &Record,
    range: Range<u64>,
    mut see: impl FnMut(u64, &Row<'_>) -> ControlFlow<()>,
) -> Result<(), Fault> {
    if range.is_empty() {
        return Ok(());
    }
    for index in (block_of(range.start)..=block_of(range.end - 1)).rev() {
        let step = with_block(blocks, record, index, |rows| {
            let last = block_start(index) + rows.len() as u64;
            let rows = rows.iter().rev().zip((block_start(index)..last).rev());
            let mut rows = rows.filter(|(_, seq)| range.contains(seq));
            rows.try_for_each(|(row, seq)| see(seq, row))
        })?;
        if step.is_break() {
            break;
        }
    }
    Ok(())
}

/// Shows every retained row, oldest first, until `see` breaks.
pub(crate) fn walk_retained(
    blocks: &impl ReadableTable<(u64, u64), Bytes>,
    record: &Record,
    from: u64,
    mut see: impl FnMut(u64, &Row<'_>) -> ControlFlow<()>,
) -> Result<(), Fault> {
    let mut over = false;
    for range in [from.max(1)..record.leading + 1, from.max(record.first)..record.next_seq] {
        if !over {
            walk(blocks, record, range, |seq, row| {
                let step = see(seq, row);
                over = step.is_break();
                step
            })?;
        }
    }
    Ok(())
}

/// Gives the rows of one block.
pub(crate) fn with_block<T>(
    blocks: &impl ReadableTable<(u64, u64), Bytes>,
    record: &Record,
    index: u64,
    use_rows: impl FnOnce(&[Row<'_>]) -> T,
) -> Result<T, Fault> {
    if index == block_of(record.next_seq) {
        return Ok(use_rows(&read_rows(&record.tail, record.tail_rows())?));
    }
    let Some(block) = blocks.get((record.number, index))? else {
        return Err(Damage("a block of its messages is missing").into());
    };
    Ok(use_rows(&read_rows(block.value(), BLOCK)?))
}
