//! Claims: a lease by a script, and then the messages.

use std::time::{Duration, Instant};

use cache_redis::connection::{Value, cmd};
use futures_util::future::join_all;
use memory_core::{Backlog, Claim, Claimed, ClaimedConversation, ConversationKey, Limits, Seq};

use super::backlog::{Indexes, states, sum_letter};
use super::recount;
use super::waiting::{Found, Wanted, waiting};
use crate::answer::{array, bytes, count};
use crate::bounds::span;
use crate::element::Code;
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::scripts::CLAIM;
use crate::state::State;
use crate::write::{check_key, too_many_counters};

const WHAT: &str = "a claim";

/// Conversations that are leased and read side by side.
const AT_ONCE: usize = 32;

/// After this a claim hands out what it has, so that nothing stays leased that nobody waits for.
const LONGEST: Duration = Duration::from_secs(2);

/// As [`MemoryStore::claim_pending`](memory_core::MemoryStore::claim_pending).
pub(crate) async fn claim(inner: &Inner, claim: &Claim) -> Result<Claimed, Fault> {
    let code = inner.code(&claim.counter).await?;
    let mut claimed = Claimed::default();
    if let Some(key) = &claim.only {
        check_key(key, &inner.limits)?;
        let after = claim.after.map_or(0, Seq::get);
        let given = claim_one(inner, key, code, claim, after, claim.limit.max(1)).await?;
        claimed.more = given.as_ref().is_some_and(|one| one.more);
        claimed.conversations.extend(given);
        return Ok(claimed);
    }
    if claim.backlog == memory_core::Backlog::Pending {
        claimed.more = recount::go_on(inner, code).await?;
    }
    let begun = Instant::now();
    let mut left = claim.limit.max(1);
    let mut indexes = Indexes::new(inner, claim.backlog, Some(inner.time.now()));
    let mut pages = 0;
    let mut failed = None;
    while let Some(keys) = indexes.next(inner).await? {
        pages += 1;
        let states = states(inner, &keys).await?;
        let mut states = states.into_iter().peekable();
        let mut due = Vec::new();
        for key in keys {
            // What has no state has ended, or is damaged: the script takes it out, or puts it off.
            let state = states.next_if(|(found, _)| *found == key);
            if state.is_none_or(|(_, state)| state.current == code) {
                due.push(key);
            }
        }
        let mut due = due.as_slice();
        while !due.is_empty() {
            if left == 0 || begun.elapsed() > LONGEST {
                claimed.more = true;
                return Ok(claimed);
            }
            let (wave, rest) = due.split_at(due.len().min(left).min(AT_ONCE));
            due = rest;
            // Each gets its part of what may be claimed, so that all of it is handed out.
            let share = left / wave.len();
            let given = wave.iter().map(|key| claim_one(inner, key, code, claim, 0, share));
            for given in join_all(given).await {
                match given {
                    Ok(Some(given)) => {
                        left = left.saturating_sub(given.messages.len());
                        claimed.more |= given.more;
                        // One that gives nothing was changed meanwhile, and is due once more.
                        claimed
                            .conversations
                            .extend(Some(given).filter(|given| !given.messages.is_empty()));
                    }
                    // One damaged conversation does not keep the others from being counted.
                    Ok(None) | Err(Fault::Damaged(_)) => {}
                    Err(fault) => failed = Some(fault),
                }
            }
            if let Some(fault) = failed {
                // What is leased already is handed out.
                claimed.more = true;
                return if claimed.conversations.is_empty() { Err(fault) } else { Ok(claimed) };
            }
        }
    }
    // What was claimed is not due any more, so later pages may have skipped as many.
    claimed.more |= pages > 1 && !claimed.conversations.is_empty();
    Ok(claimed)
}

/// Takes the lease of one conversation and reads what waits in it; none where nothing does, or
/// somebody else holds it.
async fn claim_one(
    inner: &Inner,
    key: &ConversationKey,
    code: Code,
    claim: &Claim,
    after: u64,
    limit: usize,
) -> Result<Option<ClaimedConversation>, Fault> {
    let keys = inner.prefix.keys(key);
    let by_name = u8::from(claim.only.is_some());
    let answer = inner.client.script(&CLAIM, &keys, |command| {
        command.arg(keys.name.bytes()).arg(code.as_str()).arg(sum_letter(claim.backlog));
        command.arg(span(claim.lease)).arg(by_name).arg(Limits::COUNTERS);
    });
    let mut parts = array(answer.await?, WHAT)?.into_iter();
    let mut part = || parts.next().unwrap_or(Value::Nil);
    let kind = bytes(part());
    if kind.as_deref() == Some(b"L") {
        return Err(too_many_counters(&part()));
    }
    inner.time.heard(count(&part(), WHAT)?);
    let state = match kind.as_deref() {
        Some(b"N") => return Ok(None),
        Some(b"C") => State::decode(array(part(), WHAT)?)?,
        _ => return Err(Fault::answer(WHAT)),
    };
    let Some(state) = state else { return Ok(None) };
    inner.known.note(&keys.name, &state, |_| {});
    let epoch = state.epoch;
    let wanted = Wanted { keys: &keys, code, backlog: claim.backlog, after, limit };
    let found = waiting(inner, wanted, state).await;
    let is_empty = match &found {
        Ok(found) => found.messages.is_empty() && found.more,
        // It stays put off, so that not every sweep comes to it first.
        Err(Fault::Damaged(_)) => false,
        Err(_) => true,
    };
    if is_empty && claim.only.is_none() {
        give_back(inner, &keys, claim).await;
    }
    let Found { messages, more } = found?;
    Ok(Some(ClaimedConversation { key: key.clone(), epoch, messages, more }))
}

/// Ends a lease under which nothing is handed out. If this fails, the lease ends by itself.
async fn give_back(inner: &Inner, keys: &Keys, claim: &Claim) {
    let index = match claim.backlog {
        Backlog::Fallback => keys.fallbacks(),
        Backlog::Pending => keys.pendings(),
    };
    let mut command = cmd("ZADD");
    command.arg(index).arg("XX").arg(0).arg(keys.name.bytes());
    drop(inner.client.lane(keys).run(&command).await);
}
