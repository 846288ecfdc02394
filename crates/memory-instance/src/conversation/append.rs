//! Appending: tally, write, hand over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{
    Append, Appended, AppendedMessage, ConversationKey, LimitKind, NewMessage, Settlement, Tally,
};
use metrics::counter;
use tokens::Place;

use crate::background::Counting;
use crate::deadline::Deadline;
use crate::entry::{Entry, Receipt, Settling};
use crate::error::MemoryError;
use crate::generation::Generation;
use crate::metrics::names;
use crate::policy::CountPolicy;
use crate::random::Nonces;
use crate::shared::Shared;

/// Appends a batch, and hands over what is pending of it.
pub(super) async fn append(
    shared: &Arc<Shared>,
    key: &ConversationKey,
    mut entries: Vec<Entry>,
) -> Result<Vec<Receipt>, MemoryError> {
    check(shared, key, &entries)?;
    redact(shared, &mut entries)?;
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let deadline = shared.deadline();
    let generation = shared.generation();
    let tallies = tally(shared, &generation, &entries, &deadline).await?;
    let places = reserve(&generation, &tallies);
    let append = batch(shared, &generation, &entries, &tallies, &places)?;
    let appended = deadline.write("append", shared.store.append(key, append)).await?;
    // No await from here on: a future that is dropped must not come between the store's answer
    // and the hand-over.
    let receipts = hand_over(shared, &generation, key, entries, places, &appended);
    let new = receipts.iter().filter(|receipt| receipt.new).count() as u64;
    counter!(names::APPENDED).increment(new);
    counter!(names::REPEATED).increment(receipts.len() as u64 - new);
    shared.touch(key, &appended.totals);
    Ok(receipts)
}

/// Refuses what is too large before anything is done.
fn check(shared: &Shared, key: &ConversationKey, entries: &[Entry]) -> Result<(), MemoryError> {
    shared.check_open()?;
    let limits = &shared.options.limits;
    limits.check(LimitKind::IdBytes, key.id.as_str().len())?;
    limits.check(LimitKind::IdBytes, key.namespace.as_str().len())?;
    limits.check(LimitKind::BatchMessages, entries.len())?;
    for entry in entries {
        entry.message.check(limits)?;
        if let Some(id) = &entry.id {
            limits.check(LimitKind::IdBytes, id.as_str().len())?;
        }
    }
    Ok(())
}

/// Lets the redactor have its way, and holds what it makes to the same limits.
fn redact(shared: &Shared, entries: &mut [Entry]) -> Result<(), MemoryError> {
    let Some(redactor) = &shared.options.redactor else { return Ok(()) };
    for entry in entries {
        let redacted = redactor.redact(&entry.message);
        if let Some(message) = redacted.map_err(|source| MemoryError::Redact { source })? {
            message.check(&shared.options.limits)?;
            entry.message = message;
        }
    }
    Ok(())
}

/// The tally of each message, as the count policy has it.
async fn tally(
    shared: &Shared,
    generation: &Generation,
    entries: &[Entry],
    deadline: &Deadline,
) -> Result<Vec<Tally>, MemoryError> {
    let pool = &generation.pool;
    let mut tallies = Vec::with_capacity(entries.len());
    match shared.options.policy {
        CountPolicy::Background => {
            tallies.extend(entries.iter().map(|entry| pool.estimate(&entry.message)));
        }
        CountPolicy::Adaptive => {
            let start = Instant::now();
            for entry in entries {
                let left = shared.options.inline_budget.saturating_sub(start.elapsed());
                let counted = pool.count_inline(&entry.message, left);
                tallies.push(counted.unwrap_or_else(|| pool.estimate(&entry.message)));
            }
        }
        CountPolicy::Inline => {
            for entry in entries {
                let allowed = shared.options.count_deadline.min(deadline.left());
                tallies.push(pool.tally(&entry.message, allowed).await?);
            }
        }
    }
    Ok(tallies)
}

/// A place in the queue for each pending message, as far as there are any.
fn reserve(generation: &Generation, tallies: &[Tally]) -> Vec<Option<Place>> {
    let pool = &generation.pool;
    let reserve = |tally: &Tally| tally.is_pending().then(|| pool.reserve().ok()).flatten();
    tallies.iter().map(reserve).collect()
}

fn batch(
    shared: &Shared,
    generation: &Generation,
    entries: &[Entry],
    tallies: &[Tally],
    places: &[Option<Place>],
) -> Result<Append, MemoryError> {
    let nonces = Nonces::draw(entries.len())?;
    // What found no place is free for any sweep at once.
    let all_placed =
        tallies.iter().zip(places).all(|(tally, place)| place.is_some() || !tally.is_pending());
    let grace = if all_placed { shared.options.grace } else { Duration::ZERO };
    let messages = entries.iter().zip(tallies).zip(nonces.fingerprints());
    let messages = messages.map(|((entry, tally), fingerprint)| NewMessage {
        id: entry.id.clone(),
        ..NewMessage::new(&entry.message, fingerprint, *tally)
    });
    Ok(Append {
        counter: generation.tally_id().clone(),
        new_epoch: nonces.epoch(),
        messages: messages.collect(),
        grace,
    })
}

/// Hands every pending message over that has a place, and writes the receipts.
fn hand_over(
    shared: &Shared,
    generation: &Generation,
    key: &ConversationKey,
    entries: Vec<Entry>,
    places: Vec<Option<Place>>,
    appended: &Appended,
) -> Vec<Receipt> {
    let messages = entries.into_iter().zip(places).zip(&appended.messages);
    let receipt = |((entry, place), stored): ((Entry, Option<Place>), &AppendedMessage)| {
        let settling = match (pending(stored), place) {
            (None, _) => Settling::NotNeeded,
            (Some(settlement), Some(place)) if stored.new => {
                let (unsettled, epoch) = (&shared.unsettled, appended.epoch);
                let counting =
                    Counting::begin(unsettled, key.clone(), epoch, entry.message, settlement);
                counting.submit(place, &generation.settlements, shared.keyed_hash(key));
                Settling::Queued
            }
            (Some(_), _) => {
                counter!(names::LEFT_TO_SWEEP).increment(1);
                Settling::LeftToSweep
            }
        };
        Receipt {
            epoch: appended.epoch,
            seq: stored.seq,
            new: stored.new,
            tally: stored.tally,
            totals: appended.totals,
            settling,
        }
    };
    messages.map(receipt).collect()
}

/// What is to be settled of a stored message; none where it is counted, or gone.
fn pending(stored: &AppendedMessage) -> Option<Settlement> {
    let fingerprint = stored.fingerprint?;
    if stored.tally.is_some_and(|tally| !tally.is_pending()) {
        return None;
    }
    let tally = stored.tally.unwrap_or(Tally::estimated(0));
    Some(Settlement { seq: stored.seq, fingerprint, expected: stored.tally, tally })
}
