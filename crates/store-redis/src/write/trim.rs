//! Trims: one atomic step, and then the space step by step.

use std::collections::BTreeMap;

use cache_redis::connection::Value;
use memory_core::{ConversationKey, Trim, Trimmed};

use super::prepared::check_key;
use crate::answer::{array, bytes, count};
use crate::bounds::MOST;
use crate::element::{Code, Element};
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::read::look;
use crate::scripts::{RECLAIM, TRIM};
use crate::state::{Sums, field, seq};

const WHAT: &str = "a trim";

/// How often a plan is made anew, because messages were changed meanwhile.
const PLANS: usize = 3;

/// Elements that a plan reads at a time: some 50 KB.
const CHUNK: u64 = 2048;

/// What a long trim takes away, as it was summed outside of the server.
struct Plan {
    revision: u64,
    first: u64,
    cut: u64,
    sums: BTreeMap<Code, Sums>,
}

/// As [`MemoryStore::trim`](memory_core::MemoryStore::trim).
pub(crate) async fn trim(
    inner: &Inner,
    key: &ConversationKey,
    trim: Trim,
) -> Result<Trimmed, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    let mut plan = None;
    for attempt in 0.. {
        let mode = match &plan {
            _ if attempt > PLANS => "sum",
            None => "plan",
            Some(_) => "apply",
        };
        let answer = send(inner, &keys, trim, mode, plan.as_ref()).await?;
        let (kind, numbers) = read(answer).map_err(Fault::late)?;
        match (kind.as_deref(), numbers.as_slice()) {
            (Some(b"D"), [removed, first, space]) => {
                if *space > 0 {
                    reclaim(inner, &keys).await;
                }
                if *removed > 0 {
                    inner.known.forget(&keys.name);
                }
                return Ok(Trimmed { removed: *removed, first: seq(*first) });
            }
            (Some(b"P"), [revision, first, cut, physical]) => {
                let mut fresh =
                    Plan { revision: *revision, first: *first, cut: *cut, sums: BTreeMap::new() };
                let is_sound = add_up(inner, &keys, trim, &mut fresh, *physical).await?;
                plan = is_sound.then_some(fresh);
            }
            _ => return Err(Fault::answer(WHAT).late()),
        }
    }
    Err(Fault::answer(WHAT))
}

/// What became of it, and numbers that say more.
fn read(answer: Value) -> Result<(Option<Vec<u8>>, Vec<u64>), Fault> {
    let mut parts = array(answer, WHAT)?.into_iter();
    let kind = parts.next().and_then(bytes);
    let numbers = parts.map(|number| count(&number, WHAT)).collect::<Result<_, _>>()?;
    Ok((kind, numbers))
}

async fn send(
    inner: &Inner,
    keys: &Keys,
    trim: Trim,
    mode: &str,
    plan: Option<&Plan>,
) -> Result<Value, Fault> {
    let before = trim.before.get().min(MOST);
    let script = inner.client.script(&TRIM, keys, |command| {
        command.arg(keys.name.bytes()).arg(trim.epoch.as_str()).arg(before).arg(mode);
        if let Some(Plan { revision, first, cut, sums }) = plan {
            command.arg(*revision).arg(*first).arg(*cut);
            for (code, sums) in sums {
                for (letter, sum) in Sums::FIELDS.into_iter().zip(sums.values()) {
                    command.arg(&field(letter, *code)).arg(sum);
                }
            }
        }
    });
    script.await
}

/// Sums what goes, chunk by chunk; false where messages were changed meanwhile.
async fn add_up(
    inner: &Inner,
    keys: &Keys,
    trim: Trim,
    plan: &mut Plan,
    physical: u64,
) -> Result<bool, Fault> {
    let mut from = plan.first;
    while from < plan.cut {
        let to = (from + CHUNK).min(plan.cut) - 1;
        let read = look::elements(inner, keys, None, from - physical, to - physical).await?;
        let Some((state, elements)) = read else { return Ok(false) };
        let is_same = state.epoch == trim.epoch
            && state.revision == plan.revision
            && state.physical == physical;
        if !is_same || elements.len() as u64 != to - from + 1 {
            return Ok(false);
        }
        for element in &elements {
            for (code, tally) in Element::parse(element)?.tallies() {
                plan.sums.entry(code).or_default().add(tally);
            }
        }
        from = to + 1;
    }
    Ok(true)
}

/// Gives back the space of trimmed messages. What is left over, the next trim gives back.
async fn reclaim(inner: &Inner, keys: &Keys) {
    loop {
        let answer = inner.client.script(&RECLAIM, keys, |_| {});
        let left = match answer.await {
            Ok(answer) => count(&answer, WHAT).unwrap_or(0),
            Err(_) => 0,
        };
        if left == 0 {
            return;
        }
    }
}
