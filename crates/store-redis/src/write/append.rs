//! Appends, by the way that serves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{Append, Appended, AppendedMessage, ConversationKey, StoreError, Totals};

use super::append_fast::{self, Fast};
use super::append_script;
use super::mend::new_epoch;
use super::prepared::Prepared;
use crate::element::Code;
use crate::error::{Fault, RedisStoreError};
use crate::inner::Inner;
use crate::keys::Keys;

/// How long an append that may be repeated is sent again, where its answer is lost. Each time waits
/// for a connection, as long as the pool allows.
const REPEATED_FOR: Duration = Duration::from_secs(5);

/// As [`MemoryStore::append`](memory_core::MemoryStore::append).
pub(crate) async fn append(
    inner: &Arc<Inner>,
    key: &ConversationKey,
    append: Append,
) -> Result<Appended, Fault> {
    let prepared = Prepared::new(key, append, &inner.limits)?;
    let code = inner.code(&prepared.counter).await?;
    let appended = send(inner, key, prepared, code).await;
    if inner.is_stale() {
        // It may have gone to a server that has started anew meanwhile, or the next one will.
        let inner = Arc::clone(inner);
        tokio::spawn(async move { inner.renew().await });
    }
    appended
}

async fn send(
    inner: &Arc<Inner>,
    key: &ConversationKey,
    prepared: Prepared,
    code: Code,
) -> Result<Appended, Fault> {
    let keys = inner.prefix.keys(key);
    if !prepared.messages.is_empty()
        && !prepared.has_ids()
        && inner.wait_replicas == 0
        && let Some(guess) = inner.known.get(&keys.name)
        && guess.only == Some(code)
        && guess.largest >= prepared.largest
        && (!uses_time(inner, &prepared) || inner.time.is_fresh())
    {
        let fast = Fast { inner, keys: &keys, prepared: &prepared, code, guess };
        return append_fast::append(fast).await;
    }
    // On the heap, so that an append without a script carries little about.
    Box::pin(send_script(inner, &keys, prepared, code)).await
}

async fn send_script(
    inner: &Inner,
    keys: &Keys,
    mut prepared: Prepared,
    code: Code,
) -> Result<Appended, Fault> {
    let begun = Instant::now();
    let mut unknown = None;
    loop {
        prepared.digest(&inner.schema.digests());
        let is_repeated = unknown.is_some();
        match append_script::append(inner, keys, &prepared, code, is_repeated).await {
            Err(fault) if fault.is_outcome_unknown() => {
                // What a script or a right is wanting in stays so.
                let may_help =
                    matches!(fault, Fault::Pool(_) | Fault::Late(RedisStoreError::Replicas { .. }));
                let in_time = begun.elapsed() < REPEATED_FOR;
                let is_repeated = may_help && in_time && prepared.is_repeatable();
                // Other digests may be used where the next one goes to.
                if !is_repeated || inner.renew().await.is_err() {
                    return Err(unknown.unwrap_or(fault));
                }
                // The life that it may have begun may have ended since, with a server that lost it.
                let Ok(life) = new_epoch() else { return Err(fault) };
                prepared.new_epoch = life;
                unknown = Some(fault);
            }
            Err(fault @ Fault::Refused(StoreError::Conflict { .. })) => return Err(fault),
            // A failure now says nothing of what was sent before.
            Err(fault) => return Err(unknown.unwrap_or(fault)),
            appended => return appended,
        }
    }
}

/// Whether the server must be told a time.
pub(super) fn uses_time(inner: &Inner, prepared: &Prepared) -> bool {
    inner.time_to_live.is_some() || (prepared.grace > 0 && prepared.has_pending())
}

/// What an append without messages is answered with where there is no conversation.
pub(super) fn of_nothing(prepared: &Prepared) -> Appended {
    Appended { epoch: prepared.new_epoch, messages: Vec::new(), totals: Totals::EMPTY }
}

/// The answers for new messages that end with this seq.
pub(super) fn all_new(prepared: &Prepared, last: u64) -> Vec<AppendedMessage> {
    let first = (last + 1).saturating_sub(prepared.messages.len() as u64);
    let answer = |(place, seq): (&super::prepared::PreparedMessage, u64)| AppendedMessage {
        seq: crate::state::seq(seq),
        new: true,
        tally: Some(place.message.tally),
        fingerprint: Some(place.message.fingerprint),
    };
    prepared.messages.iter().zip(first..).map(answer).collect()
}
