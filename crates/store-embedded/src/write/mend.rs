//! Repairs that change something.

use memory_core::RepairReport;
use redb::ReadableTable;

use super::batch::Batch;
use crate::error::Fault;
use crate::examine::examine;
use crate::record::Indexed;

/// Compares a conversation's stored numbers with its messages, and stores what the messages say.
pub(crate) fn mend(batch: &mut Batch<'_>, key: &[u8]) -> Result<RepairReport, Fault> {
    // What is at hand may be sound where the file's record is not.
    batch.look_again(key);
    let Some(mut record) = batch.live(key)? else { return Ok(RepairReport::default()) };
    let entry = Indexed {
        pending: batch.tables.pending.get(key)?.map(|entry| entry.value()),
        fallback: batch.tables.fallbacks.get(key)?.map(|entry| entry.value()),
    };
    let examined = examine(&record, &batch.tables.blocks, &batch.tables.payloads)?;
    let differences = examined.differences(&record, entry, &batch.shared.counters)?;
    if differences.is_empty() {
        return Ok(RepairReport::default());
    }
    let mended = examined.mend(&mut record);
    batch.save(key, record, entry)?;
    Ok(RepairReport { differences, mended })
}

#[cfg(test)]
mod tests {
    use memory_core::Seq;
    use redb::ReadableTableMetadata;

    use super::*;
    use crate::write::garbage::tests::{Bare, key};
    use crate::write::{drop_newest, trim};

    #[test]
    fn numbers_that_contradict_the_messages_are_found_and_mended() {
        let mut bare = Bare::new(None);
        bare.append(100);
        bare.commit(|batch| {
            let mut record = batch.stored(&key()).unwrap().unwrap();
            let was_indexed = record.indexed();
            record.sums[0].tokens += 7;
            record.sums[0].settled = 100;
            batch.save(&key(), record, was_indexed)
        })
        .unwrap();
        let report = bare.commit(|batch| mend(batch, &key())).unwrap();
        let found: Vec<_> = report
            .differences
            .iter()
            .map(|found| (found.what.as_str(), found.stored, found.actual))
            .collect();
        assert_eq!(found, [("tokens of words", 507, 500), ("messages settled by words", 100, 0)]);
        assert!(report.mended);
        let again = bare.commit(|batch| mend(batch, &key())).unwrap();
        assert_eq!(again, RepairReport::default());
        let indexed = bare.commit(|batch| batch.tables.pending.len()).unwrap();
        assert_eq!(indexed, 1, "a mended conversation is in the index again");
    }

    #[test]
    fn a_missing_payload_is_found_and_cannot_be_mended() {
        let mut bare = Bare::new(None);
        bare.append(3);
        bare.commit(|batch| batch.tables.payloads.pop_first().map(|_| ())).unwrap();
        let report = bare.commit(|batch| mend(batch, &key())).unwrap();
        assert_eq!(report.differences[0].what, "messages");
        assert!(!report.mended);
    }

    #[test]
    fn a_missing_block_is_damage_to_every_operation_that_needs_it() {
        let mut bare = Bare::new(None);
        bare.append(100);
        let epoch = bare.epoch();
        bare.commit(|batch| batch.tables.blocks.pop_last().map(|_| ())).unwrap();
        bare.commit(|batch| {
            let cut = memory_core::Trim { epoch, before: Seq::FIRST.plus(90) };
            assert!(matches!(trim(batch, &key(), cut), Err(Fault::Damaged(_))));
            assert!(matches!(drop_newest(batch, &key(), 10), Err(Fault::Damaged(_))));
            assert!(matches!(mend(batch, &key()), Err(Fault::Damaged(_))));
            assert_eq!(batch.changes, 0, "a refused operation changed something");
        });
    }
}
