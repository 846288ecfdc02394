//! Comparing a conversation's stored numbers with its messages.

use std::ops::ControlFlow;

use memory_core::{Difference, MessageClass};
use redb::ReadableTable;

use crate::counters::Counters;
use crate::error::Fault;
use crate::payloads::decode;
use crate::record::{Indexed, Record, Sum};
use crate::rows::walk_retained;
use crate::schema::Bytes;

/// What the messages of a conversation say.
#[derive(Debug)]
pub(crate) struct Examined {
    /// In the order of the record's sums, then of first sight.
    sums: Vec<Sum>,
    /// Messages with both a row and a payload.
    messages: u64,
    /// Instructions before every other message; none where a trim has fixed the head.
    leading: Option<u64>,
}

/// Reads every message of a conversation.
pub(crate) fn examine(
    record: &Record,
    blocks: &impl ReadableTable<(u64, u64), Bytes>,
    log: &impl ReadableTable<u64, Bytes>,
) -> Result<Examined, Fault> {
    let mut sums: Vec<Sum> = record.sums.iter().map(|sum| Sum::new(sum.code)).collect();
    let mut places = Vec::new();
    let mut leading = 0;
    walk_retained(blocks, record, 1, |seq, row| {
        for (code, tally) in row.tallies() {
            let place = sums.iter().position(|sum| sum.code == code).unwrap_or_else(|| {
                sums.push(Sum::new(code));
                sums.len() - 1
            });
            sums[place].add(tally);
        }
        if row.class == MessageClass::Instruction && seq == leading + 1 {
            leading += 1;
        }
        places.push((seq, row.position));
        ControlFlow::Continue(())
    })?;
    let mut messages = 0;
    for (seq, position) in places {
        let entry = log.get(position)?;
        let whole = entry.is_some_and(|entry| decode(entry.value(), record.number, seq).is_ok());
        messages += u64::from(whole);
    }
    let untrimmed = record.first == record.leading + 1;
    Ok(Examined { sums, messages, leading: untrimmed.then_some(leading) })
}

impl Examined {
    /// What is stored otherwise. `indexed` is what the indexes have of the conversation.
    pub(crate) fn differences(
        &self,
        record: &Record,
        indexed: Indexed,
        counters: &Counters,
    ) -> Result<Vec<Difference>, Fault> {
        let mut found = Vec::new();
        let mut compare = |what: String, stored: u64, actual: u64| {
            if stored != actual {
                found.push(Difference { what, stored, actual });
            }
        };
        compare("messages".to_owned(), record.messages(), self.messages);
        if let Some(leading) = self.leading {
            compare("leading instructions".to_owned(), record.leading, leading);
        }
        for actual in &self.sums {
            let stored = record.sum(actual.code).copied().unwrap_or(Sum::new(actual.code));
            let counter = counters.id(actual.code)?;
            compare(format!("tokens of {counter}"), stored.tokens, actual.tokens);
            compare(format!("messages tallied by {counter}"), stored.tallied, actual.tallied);
            compare(format!("messages settled by {counter}"), stored.settled, actual.settled);
            let by_fallback = format!("messages that a fallback counted for {counter}");
            compare(by_fallback, stored.fallback, actual.fallback);
        }
        for (index, is_right) in [
            ("pendings", indexed.pending == record.indexed().pending),
            ("fallbacks", indexed.fallback == record.indexed().fallback),
        ] {
            compare(format!("entries in the index of {index} that are right"), is_right.into(), 1);
        }
        Ok(found)
    }

    /// Makes the record say what the messages say; false where messages are missing.
    pub(crate) fn mend(self, record: &mut Record) -> bool {
        let whole = self.messages == record.messages();
        record.sums = self.sums;
        record.pending_from = 1;
        record.fallback_from = 1;
        if let Some(leading) = self.leading {
            record.leading = leading;
            record.first = leading + 1;
        }
        whole
    }
}
