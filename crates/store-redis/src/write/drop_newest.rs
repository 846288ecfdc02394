//! Dropping the newest messages.

use cache_redis::connection::Value;
use memory_core::{ConversationKey, Dropped};

use super::prepared::check_key;
use crate::answer::{array, count};
use crate::bounds::MOST;
use crate::error::Fault;
use crate::inner::Inner;
use crate::scripts::DROP;
use crate::state::seq;

const WHAT: &str = "a drop";

/// As [`MemoryStore::drop_newest`](memory_core::MemoryStore::drop_newest).
pub(crate) async fn drop_newest(
    inner: &Inner,
    key: &ConversationKey,
    newest: u64,
) -> Result<Dropped, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    let answer = inner.client.script(&DROP, &keys, |command| {
        command.arg(keys.name.bytes()).arg(newest.min(MOST));
    });
    read(answer.await?).map_err(Fault::late)
}

fn read(answer: Value) -> Result<Dropped, Fault> {
    let answer = array(answer, WHAT)?;
    let [removed, next] = answer.as_slice() else { return Err(Fault::answer(WHAT)) };
    Ok(Dropped { removed: count(removed, WHAT)?, next_seq: seq(count(next, WHAT)?) })
}
