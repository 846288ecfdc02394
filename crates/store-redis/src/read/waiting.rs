//! The messages of a backlog in one conversation.

use std::ops::RangeInclusive;

use cache_redis::connection::Value;
use memory_core::{Backlog, Fingerprint, StoredMessage};

use super::look::{self, head, head_messages, look};
use super::page::{PAGE_BYTES, read};
use crate::element::{Code, Element};
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::state::State;

/// Elements that are read at a time: some 50 KB.
const CHUNK: u64 = 2048;

/// What is looked for.
pub(super) struct Wanted<'a> {
    pub(super) keys: &'a Keys,
    pub(super) code: Code,
    pub(super) backlog: Backlog,
    /// Only what comes after this seq.
    pub(super) after: u64,
    pub(super) limit: usize,
}

/// What was found.
#[derive(Default)]
pub(super) struct Found {
    /// The oldest of them.
    pub(super) messages: Vec<StoredMessage>,
    /// Whether there are more behind the last of these.
    pub(super) more: bool,
}

/// Reads the oldest messages that wait. What is changed meanwhile may be left out.
pub(super) async fn waiting(
    inner: &Inner,
    wanted: Wanted<'_>,
    state: State,
) -> Result<Found, Fault> {
    let mut found = Found::default();
    if state.cut.is_some() && wanted.after < state.kept {
        let code = Some(wanted.code);
        let Some((now, mut answers)) =
            look(inner, wanted.keys, code, [head(wanted.keys.meta())]).await?
        else {
            return Ok(found);
        };
        if now.epoch != state.epoch || now.kept != state.kept {
            return Ok(Found { more: true, ..found });
        }
        found.messages = head_messages(&now, answers.pop().unwrap_or(Value::Nil), code)?;
        let after = wanted.after;
        found
            .messages
            .retain(|message| message.seq.get() > after && wanted.backlog.holds(message.tally));
    }
    let all = wanted.backlog.of(&state.totals());
    let (mut places, is_whole) = find(inner, &wanted, &state, all).await?;
    let room = wanted.limit.saturating_sub(found.messages.len());
    found.more = places.len() > room || found.messages.len() > wanted.limit || !is_whole;
    found.messages.truncate(wanted.limit);
    places.truncate(room);
    load(inner, &wanted, state, &places, &mut found).await?;
    Ok(found)
}

type Place = (u64, Fingerprint);

/// Finds the places of what waits in the lists, oldest first: at least one more than is wanted, if
/// there is one. False where the conversation was changed meanwhile, and some may be missing.
async fn find(
    inner: &Inner,
    wanted: &Wanted<'_>,
    state: &State,
    all: u64,
) -> Result<(Vec<Place>, bool), Fault> {
    let start = state.oldest_in_lists().max(wanted.after.saturating_add(1));
    let mut places = Vec::new();
    if start > state.last {
        return Ok((places, true));
    }
    let length = state.last - start + 1;
    // What waits is mostly at the new end; where most of all waits, the old end is as near.
    let backward = length > CHUNK && all.saturating_mul(4) < length;
    let mut rest = start..=state.last;
    while !rest.is_empty() {
        let chunk = if backward {
            (*rest.end() + 1).saturating_sub(CHUNK).max(*rest.start())..=*rest.end()
        } else {
            *rest.start()..=(*rest.start() + CHUNK - 1).min(*rest.end())
        };
        let Some(found) = chunk_of(inner, wanted, state, chunk.clone()).await? else {
            return Ok((places, false));
        };
        if backward {
            places.splice(0..0, found);
            if places.len() as u64 >= all {
                break;
            }
            rest = *rest.start()..=*chunk.start() - 1;
        } else {
            places.extend(found);
            if places.len() > wanted.limit || places.len() as u64 >= all {
                break;
            }
            rest = *chunk.end() + 1..=*rest.end();
        }
    }
    Ok((places, true))
}

async fn chunk_of(
    inner: &Inner,
    wanted: &Wanted<'_>,
    state: &State,
    seqs: RangeInclusive<u64>,
) -> Result<Option<Vec<Place>>, Fault> {
    let (from, to) = (*seqs.start(), *seqs.end());
    let (first, last) = (from - state.physical, to - state.physical);
    let read = look::elements(inner, wanted.keys, None, first, last).await?;
    let Some((now, elements)) = read else { return Ok(None) };
    if (now.epoch, now.physical) != (state.epoch, state.physical) {
        return Ok(None);
    }
    let mut places = Vec::new();
    for (number, element) in (from..).zip(&elements) {
        let element = Element::parse(element)?;
        if wanted.backlog.holds(element.tally(Some(wanted.code))) {
            places.push((number, element.fingerprint));
        }
    }
    Ok(Some(places))
}

/// Reads the messages at these places, neighbours in one go, until they are many bytes.
async fn load(
    inner: &Inner,
    wanted: &Wanted<'_>,
    mut state: State,
    places: &[Place],
    found: &mut Found,
) -> Result<(), Fault> {
    let bytes_of = |messages: &[StoredMessage]| -> u64 {
        messages.iter().map(|message| message.payload.len() as u64).sum()
    };
    let mut bytes = bytes_of(&found.messages);
    let chunk = PAGE_BYTES.checked_div(state.largest).unwrap_or(1).clamp(1, 1000);
    let chunk = usize::try_from(chunk).unwrap_or(1);
    let mut runs = Vec::new();
    for run in places.chunk_by(|one, next| next.0 - one.0 < 4) {
        runs.extend(run.chunks(chunk));
    }
    for run in runs {
        if bytes >= PAGE_BYTES {
            found.more = true;
            return Ok(());
        }
        let (Some((from, _)), Some((to, _))) = (run.first(), run.last()) else { continue };
        let read = read(inner, wanted.keys, Some(wanted.code), &state, *from..=*to).await?;
        let Some((now, messages)) = read else {
            found.more = true;
            return Ok(());
        };
        state = now;
        let of_run = messages.into_iter().filter(|message| {
            let place = (message.seq.get(), message.fingerprint);
            run.contains(&place) && wanted.backlog.holds(message.tally)
        });
        let of_run: Vec<_> = of_run.collect();
        bytes += bytes_of(&of_run);
        found.messages.extend(of_run);
    }
    Ok(())
}
