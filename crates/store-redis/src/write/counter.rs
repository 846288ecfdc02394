//! Changes of a conversation's current counter.

use cache_redis::connection::Value;
use memory_core::{ConversationKey, CounterId, Limits};

use super::append_script::too_many_counters;
use super::prepared::check_key;
use crate::answer::{array, bytes};
use crate::element::Code;
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::scripts::COUNTER;
use crate::state::State;

const WHAT: &str = "a change of counter";

/// As [`MemoryStore::set_counter`](memory_core::MemoryStore::set_counter).
pub(crate) async fn set_counter(
    inner: &Inner,
    key: &ConversationKey,
    counter: &CounterId,
) -> Result<(), Fault> {
    check_key(key, &inner.limits)?;
    let code = inner.code(counter).await?;
    switch(inner, &inner.prefix.keys(key), code, 0).await.map(drop)
}

/// Makes a counter the current one, and takes notice of a payload that is that large; none where
/// there is no conversation.
pub(crate) async fn switch(
    inner: &Inner,
    keys: &Keys,
    code: Code,
    largest: u64,
) -> Result<Option<State>, Fault> {
    let answer = inner.client.script(&COUNTER, keys, |command| {
        command.arg(keys.name.bytes()).arg(code.as_str()).arg(Limits::COUNTERS).arg(largest);
    });
    read(inner, keys, answer.await?).map_err(Fault::late)
}

fn read(inner: &Inner, keys: &Keys, answer: Value) -> Result<Option<State>, Fault> {
    let mut parts = array(answer, WHAT)?.into_iter();
    let mut part = || parts.next().unwrap_or(Value::Nil);
    match bytes(part()).as_deref() {
        Some(b"N") => Ok(None),
        Some(b"L") => Err(too_many_counters(&part())),
        Some(b"S") => {
            let state = State::decode(array(part(), WHAT)?)?;
            if let Some(state) = &state {
                inner.known.note(&keys.name, state, |_| {});
            }
            Ok(state)
        }
        _ => Err(Fault::answer(WHAT)),
    }
}
