//! Appends, by the way that serves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use memory_core::{Append, Appended, AppendedMessage, ConversationKey, StoreError, Totals};
use tokio::time::sleep;

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

/// How long a server that refuses the next attempt for now is left alone.
const PAUSE: Duration = Duration::from_millis(20);

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
        let is_repeated = unknown.is_some();
        let fault = match attempt(inner, keys, &mut prepared, code, is_repeated).await {
            Err(fault @ Fault::Refused(StoreError::Conflict { .. })) => return Err(fault),
            Err(fault) => fault,
            appended => return appended,
        };
        let is_unknown = fault.is_outcome_unknown();
        // What a script or a right is wanting in stays so.
        let may_help = match &fault {
            Fault::Pool(_) | Fault::Late(RedisStoreError::Replicas { .. }) if is_unknown => true,
            fault => is_repeated && fault.is_retryable(),
        };
        if !may_help || !prepared.is_repeatable() || begun.elapsed() >= REPEATED_FOR {
            // A failure now says nothing of what was sent before.
            return Err(unknown.unwrap_or(fault));
        }
        if is_unknown {
            // The life that it may have begun may have ended since, with a server that lost it.
            let Ok(life) = new_epoch() else { return Err(fault) };
            prepared.new_epoch = life;
            unknown = Some(fault);
        } else {
            sleep(PAUSE).await;
        }
    }
}

/// Sends it for the first time, or once more.
async fn attempt(
    inner: &Inner,
    keys: &Keys,
    prepared: &mut Prepared,
    code: Code,
    is_repeated: bool,
) -> Result<Appended, Fault> {
    if is_repeated {
        // Other digests may be used where this one goes to.
        inner.renew().await.map_err(Fault::before)?;
    }
    prepared.digest(&inner.schema.digests());
    append_script::append(inner, keys, prepared, code, is_repeated).await
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
