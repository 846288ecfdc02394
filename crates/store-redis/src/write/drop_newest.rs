//! Dropping the newest messages.

use memory_core::{ConversationKey, Dropped};

use super::prepared::check_key;
use crate::answer::{array, count};
use crate::error::Fault;
use crate::inner::Inner;
use crate::scripts::DROP;
use crate::state::seq;

/// More than any conversation has, and a whole number in scripts.
const ALL: u64 = 1 << 52;

/// As [`MemoryStore::drop_newest`](memory_core::MemoryStore::drop_newest).
pub(crate) async fn drop_newest(
    inner: &Inner,
    key: &ConversationKey,
    newest: u64,
) -> Result<Dropped, Fault> {
    const WHAT: &str = "a drop";
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    let answer = inner.client.script(&DROP, &keys, |command| {
        command.arg(keys.name.bytes()).arg(newest.min(ALL));
    });
    let answer = array(answer.await?, WHAT)?;
    let [removed, next] = answer.as_slice() else { return Err(Fault::answer(WHAT)) };
    Ok(Dropped { removed: count(removed, WHAT)?, next_seq: seq(count(next, WHAT)?) })
}
