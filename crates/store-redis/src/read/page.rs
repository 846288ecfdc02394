//! Pages of messages.

use cache_redis::connection::Value;
use memory_core::{ConversationKey, Page, PageQuery, Seq, StoredMessage, Totals};

use super::look::{head, head_messages, look, message, range};
use super::refresh::refresh;
use crate::answer::texts;
use crate::element::{Code, Element};
use crate::error::{Fault, RedisStoreError};
use crate::inner::Inner;
use crate::keys::Keys;
use crate::state::State;
use crate::write::check_key;

/// Bytes of payloads after which a page ends, whatever its limit.
pub(super) const PAGE_BYTES: u64 = 4 << 20;

/// Messages that a read asks for at least, so that one large message does not make all reads small.
const LEAST: u64 = 8;

/// How often a read begins again that others disturb.
const ATTEMPTS: usize = 20;

/// As [`MemoryStore::page`](memory_core::MemoryStore::page).
///
/// It reads in steps, and ends early where messages were changed between two of them.
pub(crate) async fn page(
    inner: &Inner,
    key: &ConversationKey,
    query: PageQuery,
) -> Result<Page, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    let code = inner.counters.find(&inner.client, &query.counter).await?;
    for _ in 0..ATTEMPTS {
        if let Some(page) = attempt(inner, &keys, code, &query).await? {
            if page.epoch.is_some() {
                refresh(inner, &keys).await;
            }
            return Ok(page);
        }
    }
    Err(RedisStoreError::Busy.into())
}

/// Reads a page; none where not even the begin of it is of one moment.
async fn attempt(
    inner: &Inner,
    keys: &Keys,
    code: Option<Code>,
    query: &PageQuery,
) -> Result<Option<Page>, Fault> {
    let start = query.after.map_or(1, |after| after.plus(1).get());
    let limit = query.limit.max(1);
    let Some((mut state, mut answers)) = look(inner, keys, code, [head(keys.meta())]).await? else {
        let (totals, messages) = (Totals::EMPTY, Vec::new());
        return Ok(Some(Page { epoch: None, totals, messages, next: None }));
    };
    inner.known.note(&keys.name, &state, |_| {});
    let mut messages = Vec::new();
    if state.cut.is_some() {
        messages = head_messages(&state, answers.pop().unwrap_or(Value::Nil), code)?;
        messages.retain(|message| message.seq.get() >= start);
        messages.truncate(limit);
    }
    let mut from = start.max(state.oldest_in_lists());
    let mut bytes = bytes_of(&messages);
    let mut chunk = (PAGE_BYTES.checked_div(state.largest).unwrap_or(LEAST)).max(LEAST);
    while messages.len() < limit && from <= state.last && bytes < PAGE_BYTES {
        let most = chunk.min((limit - messages.len()) as u64);
        let to = from.saturating_add(most - 1).min(state.last);
        let Some((now, found)) = read(inner, keys, code, &state, from..=to).await? else {
            if messages.is_empty() {
                return Ok(None);
            }
            break;
        };
        bytes += bytes_of(&found);
        messages.extend(found);
        state = now;
        from = to + 1;
        // What was read says more of the rest than the largest does.
        let mean = bytes.div_ceil(messages.len().max(1) as u64).max(1);
        chunk = (PAGE_BYTES.saturating_sub(bytes) / mean).clamp(LEAST, chunk.saturating_mul(4));
    }
    inner.known.note(&keys.name, &state, |_| {});
    let last = messages.last().map(|message| message.seq);
    let next = last.filter(|last| is_followed(&state, *last));
    Ok(Some(Page { epoch: Some(state.epoch), totals: state.totals(), messages, next }))
}

/// Reads messages by their seqs; none where the conversation was changed since the state was read.
pub(super) async fn read(
    inner: &Inner,
    keys: &Keys,
    code: Option<Code>,
    state: &State,
    seqs: std::ops::RangeInclusive<u64>,
) -> Result<Option<(State, Vec<StoredMessage>)>, Fault> {
    const WHAT: &str = "a page";
    let (from, to) = (*seqs.start(), *seqs.end());
    let (first, last) = (from - state.physical, to - state.physical);
    let lists = [keys.tallies(), keys.payloads()].map(|list| range(list, first, last));
    let Some((now, answers)) = look(inner, keys, code, lists).await? else { return Ok(None) };
    let is_same =
        (now.epoch, now.revision, now.physical) == (state.epoch, state.revision, state.physical);
    let Ok([elements, entries]) = <[Value; 2]>::try_from(answers) else {
        return Err(Fault::answer(WHAT));
    };
    let (elements, entries) = (texts(elements, WHAT)?, texts(entries, WHAT)?);
    if !is_same || elements.len() as u64 != to - from + 1 {
        return Ok(None);
    }
    let mut messages = Vec::with_capacity(elements.len());
    for ((number, element), entry) in (from..).zip(&elements).zip(&entries) {
        messages.push(message(number, &Element::parse(element)?, entry, code)?);
    }
    Ok(Some((now, messages)))
}

fn bytes_of(messages: &[StoredMessage]) -> u64 {
    messages.iter().map(|message| message.payload.len() as u64).sum()
}

/// Whether a retained message comes after this one.
fn is_followed(state: &State, last: Seq) -> bool {
    let last = last.get();
    match state.cut {
        Some(cut) if last < cut => last < state.kept || cut <= state.last,
        _ => last < state.last,
    }
}
