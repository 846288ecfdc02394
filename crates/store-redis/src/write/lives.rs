//! How lives end.

use memory_core::{Cleared, ConversationKey, Timestamp};

use super::prepared::check_key;
use crate::answer::count;
use crate::bounds::MOST;
use crate::error::Fault;
use crate::inner::Inner;
use crate::scripts::{CLEAR, EXPIRE};

/// As [`MemoryStore::clear`](memory_core::MemoryStore::clear).
pub(crate) async fn clear(inner: &Inner, key: &ConversationKey) -> Result<Cleared, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    inner.known.forget(&keys.name);
    let answer = inner.client.script(&CLEAR, &keys, |command| {
        command.arg(keys.name.bytes());
    });
    Ok(Cleared { removed: count(&answer.await?, "a clear").map_err(Fault::late)? })
}

/// As [`MemoryStore::expire`](memory_core::MemoryStore::expire).
pub(crate) async fn expire(
    inner: &Inner,
    key: &ConversationKey,
    at: Option<Timestamp>,
) -> Result<bool, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    inner.known.forget(&keys.name);
    let at = at.map(|at| at.as_millis().min(MOST).to_string()).unwrap_or_default();
    let answer = inner.client.script(&EXPIRE, &keys, |command| {
        command.arg(keys.name.bytes()).arg(&at);
    });
    Ok(count(&answer.await?, "an expiry").map_err(Fault::late)? == 1)
}
