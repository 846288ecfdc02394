//! The log of payloads.

use std::sync::Arc;

use memory_core::{Fingerprint, MessageClass, MessageId, Seq, StoredMessage, Tally};
use redb::ReadableTable;

use crate::bytes::{Damage, Reader, put_number, text};
use crate::error::Fault;
use crate::row::{CounterCode, Row};
use crate::schema::Bytes;

/// From so many neighbours on, one range costs less than looking each up.
const RUN: usize = 3;

/// A message whose payload is to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) seq: u64,
    pub(crate) class: MessageClass,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) tally: Option<Tally>,
    /// The least that the message costs, as far as reads are sized by it.
    pub(crate) lower_bound: u64,
    pub(crate) position: u64,
}

impl Found {
    pub(crate) fn new(seq: u64, row: &Row<'_>, code: Option<CounterCode>) -> Self {
        let tally = row.tally(code);
        // What only other counters have counted costs no less than half of that.
        let elsewhere = || row.tallies().map(|(_, tally)| tally.tokens / 2).max();
        Self {
            seq,
            class: row.class,
            fingerprint: row.fingerprint,
            tally,
            lower_bound: tally.map(Tally::lower_bound).or_else(elsewhere).unwrap_or(0),
            position: row.position,
        }
    }
}

/// A seq as the contract has it; stored seqs begin with 1.
pub(crate) fn seq(number: u64) -> Seq {
    Seq::new(number).unwrap_or(Seq::FIRST)
}

/// Writes one entry of the log.
///
/// It names the conversation and the seq, so that a row that points to the wrong place is found
/// out and never shows the message of another conversation.
pub(crate) fn encode(
    out: &mut Vec<u8>,
    number: u64,
    seq: u64,
    id: Option<&MessageId>,
    payload: &str,
) {
    out.clear();
    put_number(out, number);
    put_number(out, seq);
    let id = id.map_or("", MessageId::as_str);
    put_number(out, id.len() as u64);
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(payload.as_bytes());
}

/// What an entry of the log holds: the caller's id, empty where there is none, and the payload.
pub(crate) fn decode(entry: &[u8], number: u64, seq: u64) -> Result<(&str, &str), Damage> {
    let mut reader = Reader::new(entry);
    if (reader.number()?, reader.number()?) != (number, seq) {
        return Err(Damage("a message points to the payload of another"));
    }
    let id = reader.text()?;
    Ok((id, text(reader.rest())?))
}

/// Reads the payloads of messages of the conversation `number`, until they take `bytes` or more.
///
/// Messages that were appended one after the other stand side by side in the log, and are read in
/// one go.
pub(crate) fn load(
    log: &impl ReadableTable<u64, Bytes>,
    number: u64,
    found: &[Found],
    bytes: usize,
) -> Result<Vec<StoredMessage>, Fault> {
    let mut messages = Vec::with_capacity(found.len());
    let mut taken = 0_usize;
    for run in found.chunk_by(|one, next| one.position.checked_add(1) == Some(next.position)) {
        if run.len() < RUN {
            for found in run {
                if taken >= bytes {
                    return Ok(messages);
                }
                let entry = log.get(found.position)?.ok_or(MISSING)?;
                taken += push(&mut messages, found, entry.value(), number)?;
            }
            continue;
        }
        let mut entries = log.range(run[0].position..=run[run.len() - 1].position)?;
        for found in run {
            if taken >= bytes {
                return Ok(messages);
            }
            let (position, entry) = entries.next().ok_or(MISSING)??;
            if position.value() != found.position {
                return Err(MISSING.into());
            }
            taken += push(&mut messages, found, entry.value(), number)?;
        }
    }
    Ok(messages)
}

fn push(
    messages: &mut Vec<StoredMessage>,
    found: &Found,
    entry: &[u8],
    number: u64,
) -> Result<usize, Damage> {
    let (_, payload) = decode(entry, number, found.seq)?;
    messages.push(StoredMessage {
        seq: seq(found.seq),
        fingerprint: found.fingerprint,
        class: found.class,
        tally: found.tally,
        payload: Arc::from(payload),
    });
    Ok(payload.len())
}

const MISSING: Damage = Damage("the payload of a message is missing");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn entries_survive_the_log(number: u64, seq: u64, id in ".{0,20}", payload in ".{0,80}") {
            let named = MessageId::new(&id).ok();
            let mut entry = Vec::new();
            encode(&mut entry, number, seq, named.as_ref(), &payload);
            prop_assert_eq!(decode(&entry, number, seq), Ok((id.as_str(), payload.as_str())));
            prop_assert!(decode(&entry, number ^ 1, seq).is_err());
            prop_assert!(decode(&entry, number, seq ^ 1).is_err());
        }

        #[test]
        fn no_bytes_make_decoding_panic(entry in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&entry, 0, 1);
        }
    }
}
