//! One conversation, read as a whole.

use memory_core::{
    ConversationKey, CounterId, CounterTotals, LedgerTotals, RepairReport, Timestamp,
};

use crate::error::Fault;
use crate::examine::examine;
use crate::record::{Indexed, Record};
use crate::recount::find;
use crate::schema::{View, storage_key};
use crate::shared::Shared;

/// The conversation's record, unless it has expired.
pub(super) fn live(view: &View, key: &[u8], now: Timestamp) -> Result<Option<Record>, Fault> {
    let Some(value) = view.conversations()?.get(key)? else { return Ok(None) };
    let record = Record::decode(value.value())?;
    Ok(Some(record).filter(|record| !record.has_expired(now)))
}

/// As [`MemoryStore::totals`](memory_core::MemoryStore::totals).
pub(crate) fn totals(
    view: &View,
    shared: &Shared,
    key: &ConversationKey,
) -> Result<LedgerTotals, Fault> {
    let Some(record) = live(view, &storage_key(key), shared.clock.now())? else {
        return Ok(LedgerTotals::default());
    };
    let mut counters = Vec::with_capacity(record.sums.len());
    for sum in &record.sums {
        let counter = shared.counters.id(sum.code)?;
        counters.push(CounterTotals { counter, totals: record.totals(Some(sum.code)) });
    }
    Ok(LedgerTotals {
        epoch: Some(record.epoch),
        messages: record.messages(),
        current: Some(shared.counters.id(record.current)?),
        counters,
    })
}

/// Compares a conversation's stored numbers with its messages, and changes nothing.
pub(crate) fn check(
    view: &View,
    shared: &Shared,
    key: &ConversationKey,
) -> Result<RepairReport, Fault> {
    let key = storage_key(key);
    let Some(record) = live(view, &key, shared.clock.now())? else {
        return Ok(RepairReport::default());
    };
    let entry = Indexed {
        pending: view.pending()?.get(key.as_slice())?.map(|entry| entry.value()),
        fallback: view.fallbacks()?.get(key.as_slice())?.map(|entry| entry.value()),
    };
    let examined = examine(&record, &view.blocks()?, &view.payloads()?)?;
    let differences = examined.differences(&record, entry, &shared.counters)?;
    Ok(RepairReport { differences, mended: false })
}

/// Whether conversations are to be switched to this counter.
pub(crate) fn is_recounting(
    view: &View,
    shared: &Shared,
    counter: &CounterId,
) -> Result<bool, Fault> {
    let Some(code) = shared.counters.code(counter) else { return Ok(false) };
    Ok(find(&view.meta()?, code)?.is_some())
}
