//! Pages.

use std::ops::ControlFlow;

use memory_core::{ConversationKey, Page, PageQuery, Totals};

use super::conversation::live;
use crate::error::Fault;
use crate::payloads::{Found, load};
use crate::rows::walk_retained;
use crate::schema::{View, storage_key};
use crate::shared::Shared;

/// A page ends with the message that takes it past so many bytes, so that the memory that one
/// call needs is bounded whatever its limit.
pub(super) const PAGE_BYTES: usize = 4 << 20;

/// Most messages on a page, whatever its limit.
const PAGE_MESSAGES: usize = 4096;

/// As [`MemoryStore::page`](memory_core::MemoryStore::page).
pub(crate) fn page(
    view: &View,
    shared: &Shared,
    key: &ConversationKey,
    query: &PageQuery,
) -> Result<Page, Fault> {
    let Some(record) = live(view, &storage_key(key), shared.clock.now())? else {
        return Ok(Page { epoch: None, totals: Totals::EMPTY, messages: Vec::new(), next: None });
    };
    let code = shared.counters.code(&query.counter);
    let from = query.after.map_or(1, |after| after.get().saturating_add(1));
    let mut found = Vec::new();
    let mut more = false;
    walk_retained(&view.blocks()?, &record, from, |number, row| {
        more = found.len() == query.limit.clamp(1, PAGE_MESSAGES);
        if more {
            return ControlFlow::Break(());
        }
        found.push(Found::new(number, row, code));
        ControlFlow::Continue(())
    })?;
    let messages = load(&view.payloads()?, record.number, &found, PAGE_BYTES)?;
    more |= messages.len() < found.len();
    Ok(Page {
        epoch: Some(record.epoch),
        totals: record.totals(code),
        next: messages.last().filter(|_| more).map(|last| last.seq),
        messages,
    })
}
