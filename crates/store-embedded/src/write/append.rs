//! Appends.

use std::collections::HashMap;

use memory_core::{
    Append, Appended, AppendedMessage, Backlog, ConversationKey, LimitError, LimitKind, Limits,
    NewMessage, StoreError, Tally,
};
use redb::ReadableTable;

use super::batch::Batch;
use crate::digests::Digests;
use crate::error::Fault;
use crate::payloads::{self, seq};
use crate::record::Record;
use crate::row::{BLOCK, CounterCode, block_of, place_in_block, put_row};
use crate::rows::with_block;

/// An append with what can be computed before its turn.
#[derive(Debug)]
pub(crate) struct Prepared {
    append: Append,
    /// For each message with an id: the digests of id and content.
    digests: Vec<Option<(u128, u128)>>,
}

impl Prepared {
    /// Checks the limits and computes the digests.
    pub(crate) fn new(
        key: &ConversationKey,
        append: Append,
        limits: &Limits,
        digests: &Digests,
    ) -> Result<Self, LimitError> {
        for id in [key.namespace.as_str(), key.id.as_str()] {
            limits.check(LimitKind::IdBytes, id.len())?;
        }
        limits.check(LimitKind::BatchMessages, append.messages.len())?;
        for message in &append.messages {
            limits.check(LimitKind::MessageBytes, message.payload.len())?;
            let id = message.id.as_ref().map_or(0, |id| id.as_str().len());
            limits.check(LimitKind::IdBytes, id)?;
        }
        let digest = |message: &NewMessage| {
            let id = digests.of_id(message.id.as_ref()?);
            Some((id, digests.of_content(&message.payload)))
        };
        let digests = append.messages.iter().map(digest).collect();
        Ok(Self { append, digests })
    }

    /// About how many bytes it adds to a transaction.
    pub(crate) fn bytes(&self) -> usize {
        self.append.messages.iter().map(|message| message.payload.len() + 64).sum()
    }
}

/// What becomes of one message of a batch.
enum Place {
    New(u64),
    Known(u64),
}

/// As [`MemoryStore::append`](memory_core::MemoryStore::append).
pub(crate) fn append(
    batch: &mut Batch<'_>,
    key: &[u8],
    prepared: &Prepared,
) -> Result<Appended, Fault> {
    let Prepared { append, digests } = prepared;
    batch.load(key)?;
    let stored = batch.kept(key);
    let (record, expired) = match stored {
        Some(record) if record.has_expired(batch.now) => (None, Some(record)),
        record => (record, None),
    };
    let places = places(batch, record, append, digests)?;
    let new = places.iter().filter(|place| matches!(place, Place::New(_))).count();
    if new == 0 {
        return repeated(batch, record, append, &places);
    }
    batch.check_counter(record, &append.counter)?;
    // What repeats are answered with; most batches hold none.
    let mut known = HashMap::new();
    let repeats = new < places.len();
    if let Some(record) = record
        && repeats
    {
        let code = batch.shared.counters.code(&append.counter);
        for place in &places {
            if let Place::Known(seq) = place
                && record.retains(*seq)
            {
                known.insert(*seq, stored_tally(batch, record, *seq, code)?);
            }
        }
    }
    // From here on nothing is refused.
    let expired = expired.cloned();
    let code = batch.counter_code(&append.counter)?;
    if let Some(expired) = &expired {
        batch.bury(key, expired)?;
    }
    let mut record = match batch.take(key) {
        Some(record) => record,
        None => Box::new(Record::new(batch.next_number()?, append.new_epoch, code)),
    };
    let was_indexed = record.indexed();
    if was_indexed.pending.is_none() && record.current == code {
        record.pending_from = record.next_seq;
    }
    if was_indexed.fallback.is_none() && record.current == code {
        record.fallback_from = record.next_seq;
    }
    record.switch_to(code);
    let mut answers = Vec::with_capacity(places.len());
    for ((place, message), digest) in places.iter().zip(&append.messages).zip(digests) {
        answers.push(match place {
            Place::New(number) => {
                write(batch, &mut record, code, message, digest.as_ref())?;
                let written = (Some(message.tally), message.fingerprint);
                if repeats {
                    known.insert(*number, written);
                }
                answer(*number, true, Some(&written))
            }
            Place::Known(number) => answer(*number, false, known.get(number)),
        });
    }
    let waits = record.waiting(Backlog::Pending) > 0;
    if was_indexed.pending.is_none() && waits && !append.grace.is_zero() {
        // Before the commit: a sweep that sees the messages sees the grace.
        let lease = (record.number, Backlog::Pending);
        batch.shared.leases.hold().take(lease, batch.now, append.grace);
    }
    if let Some(time_to_live) = batch.shared.time_to_live {
        record.expires_at = Some(batch.now.after(time_to_live).as_millis());
    }
    let (epoch, totals) = (record.epoch, record.totals(Some(code)));
    batch.save(key, record, was_indexed)?;
    Ok(Appended { epoch, messages: answers, totals })
}

/// Finds out which messages are new, without writing.
fn places(
    batch: &Batch<'_>,
    record: Option<&Record>,
    append: &Append,
    digests: &[Option<(u128, u128)>],
) -> Result<Vec<Place>, Fault> {
    let mut next = record.map_or(1, |record| record.next_seq);
    let mut in_batch: HashMap<u128, (u64, u128)> = HashMap::new();
    let mut places = Vec::with_capacity(append.messages.len());
    for (message, digest) in append.messages.iter().zip(digests) {
        if let (Some((id, content)), Some(name)) = (digest, &message.id) {
            let known = match in_batch.get(id) {
                Some(known) => Some(*known),
                None => match record {
                    Some(record) => {
                        batch.tables.ids.get((record.number, *id))?.map(|known| known.value())
                    }
                    None => None,
                },
            };
            if let Some((number, known)) = known {
                if known != *content {
                    let conflict = StoreError::Conflict { id: name.clone(), seq: seq(number) };
                    return Err(conflict.into());
                }
                places.push(Place::Known(number));
                continue;
            }
            in_batch.insert(*id, (next, *content));
        }
        places.push(Place::New(next));
        next += 1;
    }
    Ok(places)
}

/// Answers a batch that holds nothing new.
fn repeated(
    batch: &Batch<'_>,
    record: Option<&Record>,
    append: &Append,
    places: &[Place],
) -> Result<Appended, Fault> {
    let Some(record) = record else {
        // Only an empty batch has nothing new for a conversation that holds nothing.
        let totals = memory_core::Totals::EMPTY;
        return Ok(Appended { epoch: append.new_epoch, messages: Vec::new(), totals });
    };
    let code = batch.shared.counters.code(&append.counter);
    let mut messages = Vec::with_capacity(places.len());
    for place in places {
        let (Place::New(number) | Place::Known(number)) = place;
        let retained = record.retains(*number);
        let stored =
            if retained { Some(stored_tally(batch, record, *number, code)?) } else { None };
        messages.push(answer(*number, false, stored.as_ref()));
    }
    Ok(Appended { epoch: record.epoch, messages, totals: record.totals(code) })
}

type TallyAndNonce = (Option<Tally>, memory_core::Fingerprint);

fn stored_tally(
    batch: &Batch<'_>,
    record: &Record,
    number: u64,
    code: Option<CounterCode>,
) -> Result<TallyAndNonce, Fault> {
    let index = block_of(number);
    with_block(&batch.tables.blocks, record, index, |rows| {
        // A block has a row for each of its seqs below the next one.
        let row = &rows[place_in_block(number)];
        (row.tally(code), row.fingerprint)
    })
}

fn answer(number: u64, new: bool, stored: Option<&TallyAndNonce>) -> AppendedMessage {
    AppendedMessage {
        seq: seq(number),
        new,
        tally: stored.and_then(|(tally, _)| *tally),
        fingerprint: stored.map(|(_, fingerprint)| *fingerprint),
    }
}

/// Writes one new message at the end of the conversation.
fn write(
    batch: &mut Batch<'_>,
    record: &mut Record,
    code: CounterCode,
    message: &NewMessage,
    digest: Option<&(u128, u128)>,
) -> Result<(), Fault> {
    let number = record.next_seq;
    let position = batch.next_position()?;
    let id = message.id.as_ref();
    payloads::encode(&mut batch.scratch, record.number, number, id, &message.payload);
    batch.tables.payloads.insert(position, batch.scratch.as_slice())?;
    if let Some((id, content)) = digest {
        batch.tables.ids.insert((record.number, *id), (number, *content))?;
    }
    let (class, fingerprint) = (message.class, message.fingerprint);
    put_row(&mut record.tail, class, fingerprint, position, [(code, message.tally)]);
    record.sum_mut(code).add(message.tally);
    if class == memory_core::MessageClass::Instruction && number == record.leading + 1 {
        record.leading += 1;
        record.first += 1;
    }
    record.next_seq += 1;
    if number.is_multiple_of(BLOCK) {
        let place = (record.number, block_of(number));
        batch.tables.blocks.insert(place, record.tail.as_slice())?;
        record.tail.clear();
    }
    Ok(())
}
