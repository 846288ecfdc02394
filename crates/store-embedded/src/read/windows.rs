//! Reads for windows.

use std::ops::ControlFlow;

use memory_core::{ConversationKey, TailWalk, WindowQuery, WindowRead};

use super::conversation::live;
use crate::error::Fault;
use crate::payloads::{Found, load, seq};
use crate::rows::{walk, walk_back};
use crate::schema::{View, storage_key};
use crate::shared::Shared;

/// As [`MemoryStore::read_window`](memory_core::MemoryStore::read_window).
pub(crate) fn read_window(
    view: &View,
    shared: &Shared,
    key: &ConversationKey,
    query: &WindowQuery,
) -> Result<WindowRead, Fault> {
    let Some(record) = live(view, &storage_key(key), shared.clock.now())? else {
        return Ok(WindowRead::EMPTY);
    };
    let code = shared.counters.code(&query.counter);
    let blocks = view.blocks()?;
    let mut head = Vec::new();
    walk(&blocks, &record, 1..record.leading + 1, |number, row| {
        head.push(Found::new(number, row, code));
        ControlFlow::Continue(())
    })?;
    let head_tokens = head.iter().map(|found: &Found| found.lower_bound);
    let head_tokens = head_tokens.fold(0, u64::saturating_add);
    let mut tail = Vec::new();
    let mut budget = TailWalk::new(query.budget, head_tokens);
    walk_back(&blocks, &record, record.first..record.next_seq, |number, row| {
        let found = Found::new(number, row, code);
        tail.push(found);
        budget.push(found.class, found.lower_bound)
    })?;
    tail.reverse();
    let log = view.payloads()?;
    Ok(WindowRead {
        epoch: Some(record.epoch),
        first: seq(record.first),
        next_seq: seq(record.next_seq),
        totals: record.totals(code),
        reached_start: tail.first().is_none_or(|oldest| oldest.seq == record.first),
        head: load(&log, record.number, &head, usize::MAX)?,
        tail: load(&log, record.number, &tail, usize::MAX)?,
    })
}
