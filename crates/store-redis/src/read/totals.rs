//! Sums under every counter.

use cache_redis::connection::{Cmd, cmd};
use memory_core::{ConversationKey, CounterTotals, LedgerTotals};

use super::look::look;
use crate::answer::array;
use crate::element::Code;
use crate::error::{Fault, RedisStoreError};
use crate::inner::Inner;
use crate::state::{Sums, field};
use crate::write::check_key;

/// How often it is read again because another counter came meanwhile.
const ATTEMPTS: usize = 10;

/// As [`MemoryStore::totals`](memory_core::MemoryStore::totals).
pub(crate) async fn totals(inner: &Inner, key: &ConversationKey) -> Result<LedgerTotals, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    let only = inner.known.get(&keys.name).and_then(|guess| guess.only);
    let mut codes: Vec<Code> = only.into_iter().collect();
    for _ in 0..ATTEMPTS {
        let commands: Vec<_> = codes.iter().map(|code| sums(keys.meta(), *code)).collect();
        let Some((state, answers)) = look(inner, &keys, None, commands).await? else {
            return Ok(LedgerTotals::default());
        };
        if state.counters != codes {
            codes.clone_from(&state.counters);
            continue;
        }
        inner.known.note(&keys.name, &state, |_| {});
        let ids = inner.counters.ids(&inner.client, &codes).await?;
        let mut current = None;
        let mut counters = Vec::with_capacity(codes.len());
        for ((code, id), answer) in codes.iter().zip(ids).zip(answers) {
            if *code == state.current {
                current = Some(id.clone());
            }
            let sums = Sums::decode(&array(answer, "totals")?)?;
            counters.push(CounterTotals { counter: id, totals: state.totals_of(&sums) });
        }
        let (epoch, messages) = (Some(state.epoch), state.messages());
        return Ok(LedgerTotals { epoch, messages, current, counters });
    }
    Err(RedisStoreError::Busy.into())
}

/// The command that reads the sums under a counter.
pub(super) fn sums(meta: &[u8], code: Code) -> Cmd {
    let mut command = cmd("HMGET");
    command.arg(meta);
    for letter in Sums::FIELDS {
        command.arg(&field(letter, code));
    }
    command
}
