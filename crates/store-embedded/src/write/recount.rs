//! Whole namespaces under another counter, some conversations at a time.

use std::collections::BTreeSet;
use std::ops::Bound;

use memory_core::{CounterId, Namespace};
use redb::ReadableTable;

use super::batch::Batch;
use crate::error::Fault;
use crate::recount::{Recount, find};
use crate::row::CounterCode;

/// Conversations that one step looks at, at most.
const LOOKS: usize = 2048;
/// Conversations that one step changes, at most, so that other writers do not wait for long.
const SWITCHES: usize = 256;

/// As [`MemoryStore::recount`](memory_core::MemoryStore::recount).
pub(crate) fn recount(
    batch: &mut Batch<'_>,
    namespace: &Namespace,
    counter: &CounterId,
) -> Result<(), Fault> {
    let code = batch.counter_code(counter)?;
    note(batch, &Recount::new(namespace.clone(), code))
}

/// Makes the counter current in some of the conversations that are to have it; whether there are
/// more.
pub(crate) fn continue_recount(batch: &mut Batch<'_>, counter: &CounterId) -> Result<bool, Fault> {
    let Some(code) = batch.shared.counters.code(counter) else { return Ok(false) };
    let mut left = Allowance { looks: LOOKS, switches: SWITCHES };
    while let Some(recount) = find(&batch.tables.meta, code)? {
        if left.is_spent() || !go_on(batch, recount, counter, &mut left)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What one step may still do.
struct Allowance {
    looks: usize,
    switches: usize,
}

impl Allowance {
    fn is_spent(&self) -> bool {
        self.looks == 0 || self.switches == 0
    }
}

/// Goes on with one namespace; whether all of it was seen.
fn go_on(
    batch: &mut Batch<'_>,
    mut recount: Recount,
    counter: &CounterId,
    left: &mut Allowance,
) -> Result<bool, Fault> {
    let (unseen, at_end) = unseen(batch, &recount, left.looks)?;
    let looks = unseen.len();
    // To find that a namespace has no conversation is a look too.
    left.looks = left.looks.saturating_sub(looks.max(1));
    for (look, key) in unseen.into_iter().enumerate() {
        left.switches -= usize::from(switch(batch, &key, counter, recount.code)?);
        let is_last = look + 1 == looks;
        if if is_last { !at_end } else { left.switches == 0 } {
            recount.seen = key;
            note(batch, &recount)?;
            return Ok(false);
        }
    }
    batch.changes += 1;
    batch.tables.meta.remove(recount.name().as_str())?;
    Ok(true)
}

fn note(batch: &mut Batch<'_>, recount: &Recount) -> Result<(), Fault> {
    batch.changes += 1;
    batch.tables.meta.insert(recount.name().as_str(), recount.encode().as_slice())?;
    Ok(())
}

/// The next conversations in the order of their keys, and whether these are all.
fn unseen(
    batch: &Batch<'_>,
    recount: &Recount,
    looks: usize,
) -> Result<(BTreeSet<Vec<u8>>, bool), Fault> {
    let (start, end) = recount.unseen();
    let range = (Bound::Excluded(start.as_slice()), Bound::Excluded(end.as_slice()));
    let mut keys = BTreeSet::new();
    for entry in batch.tables.conversations.range::<&[u8]>(range)?.take(looks) {
        keys.insert(entry?.0.value().to_vec());
    }
    let at_end = keys.len() < looks;
    // What this transaction has begun is not in the table yet.
    let last = keys.last().filter(|_| !at_end).cloned().unwrap_or_else(|| end.clone());
    keys.extend(batch.begun(&start, &last));
    Ok((keys, at_end))
}

/// Makes the counter current in one conversation; false where it is already, or cannot be.
fn switch(
    batch: &mut Batch<'_>,
    key: &[u8],
    counter: &CounterId,
    code: CounterCode,
) -> Result<bool, Fault> {
    let mut record = match batch.live(key) {
        Ok(Some(record)) if record.current != code => record,
        // Whoever uses a damaged conversation is told.
        Ok(_) | Err(Fault::Damaged(_)) => return Ok(false),
        Err(fault) => return Err(fault),
    };
    if batch.check_counter(Some(&record), counter).is_err() {
        return Ok(false);
    }
    let was_indexed = record.indexed();
    record.switch_to(code);
    batch.save(key, record, was_indexed)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::garbage::tests::Bare;
    use crate::write::set_counter;

    #[test]
    fn a_recount_is_done_in_small_steps_and_ends() {
        let mut bare = Bare::new(None);
        for name in 0..600 {
            bare.append_to(&format!("{name:03}"), 1);
        }
        let letters = CounterId::new("letters").unwrap();
        let begun = |batch: &mut Batch<'_>| recount(batch, &Namespace::default(), &letters);
        bare.commit(begun).unwrap();
        let step = |batch: &mut Batch<'_>| continue_recount(batch, &letters).unwrap();
        let left: Vec<_> = (0..3).map(|_| bare.commit(step)).collect();
        assert_eq!(left, [true, true, false]);
        assert!(!bare.commit(step), "it has ended");
        assert_eq!(bare.current_counters(), ["letters"]);
        // All of it is seen again, and one conversation changed.
        let first = crate::write::garbage::tests::key_of("000");
        let words = CounterId::new("words").unwrap();
        bare.commit(|batch| set_counter(batch, &first, &words)).unwrap();
        bare.commit(begun).unwrap();
        assert_eq!(bare.current_counters(), ["letters", "words"]);
        assert!(!bare.commit(step));
        assert_eq!(bare.current_counters(), ["letters"]);
    }

    #[test]
    fn a_namespace_without_conversations_takes_no_step_of_its_own() {
        let mut bare = Bare::new(None);
        bare.append_to("a", 1);
        let letters = CounterId::new("letters").unwrap();
        let empty = Namespace::new("before").unwrap();
        assert!(empty < Namespace::default(), "it is looked at first");
        for namespace in [empty, Namespace::default()] {
            bare.commit(|batch| recount(batch, &namespace, &letters)).unwrap();
        }
        assert!(!bare.commit(|batch| continue_recount(batch, &letters).unwrap()));
        assert_eq!(bare.current_counters(), ["letters"]);
    }

    #[test]
    fn what_begins_in_the_same_transaction_is_seen() {
        let mut bare = Bare::new(None);
        bare.append_to("a", 1);
        let letters = CounterId::new("letters").unwrap();
        bare.commit(|batch| recount(batch, &Namespace::default(), &letters)).unwrap();
        let prepared = bare.prepared("b", 1);
        let more = bare.commit(|batch| {
            let key = crate::write::garbage::tests::key_of("b");
            crate::write::append(batch, &key, &prepared).unwrap();
            continue_recount(batch, &letters).unwrap()
        });
        assert!(!more);
        assert_eq!(bare.current_counters(), ["letters"]);
    }
}
