//! Claims: a lease by a script, and then the messages.

use cache_redis::connection::Value;
use memory_core::{Claim, Claimed, ClaimedConversation, ConversationKey, Limits, Seq};

use super::backlog::{Indexes, states, sum_letter};
use super::recount;
use super::waiting::{Wanted, waiting};
use crate::answer::{array, bytes, count};
use crate::element::Code;
use crate::error::Fault;
use crate::inner::Inner;
use crate::scripts::CLAIM;
use crate::state::State;
use crate::write::{check_key, too_many_counters};

const WHAT: &str = "a claim";

/// As [`MemoryStore::claim_pending`](memory_core::MemoryStore::claim_pending).
pub(crate) async fn claim(inner: &Inner, claim: &Claim) -> Result<Claimed, Fault> {
    let code = inner.counters.code(&inner.client, &claim.counter).await?;
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
    let mut left = claim.limit.max(1);
    let mut indexes = Indexes::new(inner, claim.backlog, Some(inner.time.now()));
    let mut pages = 0;
    while let Some(keys) = indexes.next(inner).await? {
        pages += 1;
        let states = states(inner, &keys).await?;
        let mut states = states.into_iter().peekable();
        for key in keys {
            // What has no state has ended, or is damaged: the script takes it out, or puts it off.
            let state = states.next_if(|(found, _)| *found == key);
            if state.is_some_and(|(_, state)| state.current != code) {
                continue;
            }
            if left == 0 {
                claimed.more = true;
                return Ok(claimed);
            }
            let given = match claim_one(inner, &key, code, claim, 0, left).await {
                // One damaged conversation does not keep the others from being counted.
                Err(Fault::Damaged(_)) => continue,
                given => given?,
            };
            let Some(given) = given.filter(|given| !given.messages.is_empty()) else { continue };
            left = left.saturating_sub(given.messages.len());
            claimed.more |= given.more;
            claimed.conversations.push(given);
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
    let lease = u64::try_from(claim.lease.as_millis()).unwrap_or(u64::MAX).min(1 << 50);
    let by_name = u8::from(claim.only.is_some());
    let answer = inner.client.script(&CLAIM, &keys, |command| {
        command.arg(keys.name.bytes()).arg(code.as_str()).arg(sum_letter(claim.backlog));
        command.arg(lease).arg(by_name).arg(Limits::COUNTERS);
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
    let found = waiting(inner, wanted, state).await?;
    let (messages, more) = (found.messages, found.more);
    Ok(Some(ClaimedConversation { key: key.clone(), epoch, messages, more }))
}
