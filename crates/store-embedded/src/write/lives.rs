//! What concerns a conversation as a whole.

use memory_core::{Cleared, CounterId, Timestamp};

use super::batch::Batch;
use crate::error::Fault;

/// As [`MemoryStore::clear`](memory_core::MemoryStore::clear).
pub(crate) fn clear(batch: &mut Batch<'_>, key: &[u8]) -> Result<Cleared, Fault> {
    let record = match batch.stored(key) {
        Ok(Some(record)) => record,
        Ok(None) => return Ok(Cleared { removed: 0 }),
        Err(Fault::Damaged(_)) => {
            // Its messages cannot be found any more; at least its name is free again.
            batch.forget(key)?;
            return Ok(Cleared { removed: 0 });
        }
        Err(fault) => return Err(fault),
    };
    batch.bury(key, &record)?;
    let removed = if record.has_expired(batch.now) { 0 } else { record.messages() };
    Ok(Cleared { removed })
}

/// As [`MemoryStore::expire`](memory_core::MemoryStore::expire).
pub(crate) fn expire(
    batch: &mut Batch<'_>,
    key: &[u8],
    at: Option<Timestamp>,
) -> Result<bool, Fault> {
    let Some(mut record) = batch.live(key)? else { return Ok(false) };
    let at = at.map(Timestamp::as_millis);
    if record.expires_at != at {
        record.expires_at = at;
        let was_indexed = record.indexed();
        batch.save(key, record, was_indexed)?;
    }
    Ok(true)
}

/// As [`MemoryStore::set_counter`](memory_core::MemoryStore::set_counter).
pub(crate) fn set_counter(
    batch: &mut Batch<'_>,
    key: &[u8],
    counter: &CounterId,
) -> Result<(), Fault> {
    let Some(mut record) = batch.live(key)? else { return Ok(()) };
    if batch.shared.counters.code(counter) == Some(record.current) {
        return Ok(());
    }
    batch.check_counter(Some(&record), counter)?;
    let was_indexed = record.indexed();
    let code = batch.counter_code(counter)?;
    record.switch_to(code);
    batch.save(key, record, was_indexed)
}
