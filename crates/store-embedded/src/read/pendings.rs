//! Finding pendings, and sharing them out.

use std::ops::{Bound, ControlFlow};

use memory_core::{
    Backlog, Claim, Claimed, ClaimedConversation, ConversationKey, Namespace, PendingConversation,
    Seq, Timestamp,
};

use super::conversation::live;
use super::lists::{damaged, decode};
use super::pages::PAGE_BYTES;
use crate::error::Fault;
use crate::payloads::{Found, load};
use crate::record::Record;
use crate::row::CounterCode;
use crate::rows::walk_retained;
use crate::schema::{Bytes, View, namespace_end, namespace_prefix, parse_storage_key, storage_key};
use crate::shared::Shared;

/// As [`MemoryStore::pending`](memory_core::MemoryStore::pending).
pub(crate) fn pending(
    view: &View,
    shared: &Shared,
    namespace: &Namespace,
    backlog: Backlog,
    limit: usize,
) -> Result<Vec<PendingConversation>, Fault> {
    let now = shared.clock.now();
    let (start, end) = (namespace_prefix(namespace), namespace_end(namespace));
    let range = (Bound::Included(start.as_slice()), Bound::Excluded(end.as_slice()));
    let conversations = view.conversations()?;
    let mut found = Vec::new();
    for entry in index(view, backlog)?.range::<&[u8]>(range)? {
        if found.len() == limit {
            break;
        }
        let stored_key = entry?.0;
        let key = parse_storage_key(stored_key.value())?;
        let Some(value) = conversations.get(stored_key.value())? else { continue };
        let record = decode(value.value(), &key)?;
        let waiting = record.waiting(backlog);
        if !record.has_expired(now) && waiting > 0 {
            found.push(PendingConversation { key, pending: waiting });
        }
    }
    Ok(found)
}

/// The index of a backlog.
fn index(view: &View, backlog: Backlog) -> Result<Index, Fault> {
    match backlog {
        Backlog::Pending => view.pending(),
        Backlog::Fallback => view.fallbacks(),
    }
}

type Index = redb::ReadOnlyTable<Bytes, (u64, CounterCode)>;

/// What came of a claim.
#[derive(Debug)]
pub(crate) enum Claims {
    Claimed(Claimed),
    /// The conversation that the claim names has another current counter.
    OtherCounter,
}

/// As [`MemoryStore::claim_pending`](memory_core::MemoryStore::claim_pending), but that it
/// switches no counter.
///
/// `begin` opens the view. That happens while nobody else changes the leases: the writer ends
/// leases after its commits, so a lease taken here never outlives the commit that ends it.
pub(crate) fn claim(
    begin: impl FnOnce() -> Result<View, Fault>,
    shared: &Shared,
    claim: &Claim,
) -> Result<Claims, Fault> {
    let mut leases = shared.leases.hold();
    // Not sooner: a lease that another has taken meanwhile would seem to lie in the future.
    let now = shared.clock.now();
    leases.forget_old(now);
    let view = begin()?;
    let code = shared.counters.code(&claim.counter);
    let (chosen, more) = match &claim.only {
        Some(key) => {
            let Some(record) = live(&view, &storage_key(key), now)? else {
                return Ok(Claims::Claimed(Claimed::default()));
            };
            if Some(record.current) != code {
                return Ok(Claims::OtherCounter);
            }
            let waits = record.waiting(claim.backlog) > 0;
            (waits.then(|| (key.clone(), record)).into_iter().collect(), false)
        }
        None => {
            choose(&view, now, code, claim, |number| leases.is_taken((number, claim.backlog), now))?
        }
    };
    for (_, record) in &chosen {
        leases.take((record.number, claim.backlog), now, claim.lease);
    }
    drop(leases);
    give(&view, shared, code, claim, chosen, more).map(Claims::Claimed)
}

type Chosen = Vec<(ConversationKey, Record)>;

/// Conversations that nobody works on, with at most about as many messages as the claim wants, and
/// whether there are more of them.
fn choose(
    view: &View,
    now: Timestamp,
    code: Option<CounterCode>,
    claim: &Claim,
    is_taken: impl Fn(u64) -> bool,
) -> Result<(Chosen, bool), Fault> {
    let conversations = view.conversations()?;
    let mut chosen = Vec::new();
    let (mut taken, limit) = (0_u64, claim.limit.max(1) as u64);
    for entry in index(view, claim.backlog)?.range::<&[u8]>(..)? {
        let (stored_key, entry) = entry?;
        let (number, current) = entry.value();
        if Some(current) != code || is_taken(number) {
            continue;
        }
        let key = parse_storage_key(stored_key.value())?;
        let Some(value) = conversations.get(stored_key.value())? else { continue };
        // One damaged conversation does not keep the others from being counted.
        let Ok(record) = Record::decode(value.value()) else { continue };
        let waiting = record.waiting(claim.backlog);
        if record.has_expired(now) || waiting == 0 {
            continue;
        }
        if taken >= limit {
            return Ok((chosen, true));
        }
        taken = taken.saturating_add(waiting);
        chosen.push((key, record));
    }
    Ok((chosen, false))
}

/// Reads what waits in what was chosen.
fn give(
    view: &View,
    shared: &Shared,
    code: Option<CounterCode>,
    claim: &Claim,
    chosen: Chosen,
    more: bool,
) -> Result<Claimed, Fault> {
    let (blocks, log) = (view.blocks()?, view.payloads()?);
    let after = claim.only.as_ref().and(claim.after).map_or(0, Seq::get);
    let mut left = claim.limit.max(1);
    let mut bytes = PAGE_BYTES;
    let mut claimed = Claimed { conversations: Vec::with_capacity(chosen.len()), more };
    for (key, record) in chosen {
        if bytes == 0 {
            // The rest is claimed again when this much was worked off.
            shared.leases.hold().end((record.number, claim.backlog));
            claimed.more = true;
            continue;
        }
        let from = record.waiting_from(claim.backlog).max(after.saturating_add(1));
        let waiting = record.waiting(claim.backlog);
        let mut found = Vec::new();
        let mut over = false;
        let walked = walk_retained(&blocks, &record, from, |number, row| {
            let message = Found::new(number, row, code);
            if claim.backlog.holds(message.tally) {
                over = found.len() == left;
                if over {
                    return ControlFlow::Break(());
                }
                found.push(message);
            }
            // Nothing waits behind the last of them.
            if found.len() as u64 == waiting {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let loaded = walked.and_then(|()| load(&log, record.number, &found, bytes.max(1)));
        let messages = match loaded {
            Ok(messages) => messages,
            // One damaged conversation does not keep the others from being counted.
            Err(Fault::Damaged(damage)) if claim.only.is_some() => {
                return Err(damaged(damage, &key));
            }
            Err(Fault::Damaged(_)) => continue,
            Err(fault) => return Err(fault),
        };
        over |= messages.len() < found.len();
        left -= messages.len();
        let taken: usize = messages.iter().map(|message| message.payload.len()).sum();
        bytes = bytes.saturating_sub(taken);
        claimed.more |= over;
        let epoch = record.epoch;
        claimed.conversations.push(ClaimedConversation { key, epoch, messages, more: over });
    }
    Ok(claimed)
}
