//! Settles.

use cache_redis::connection::Value;
use memory_core::{ConversationKey, Limits, Settle, Settled, Settlement, Tally, Totals};

use super::append_script::too_many_counters;
use super::prepared::{check_key, check_tally};
use crate::answer::{array, bytes, count};
use crate::element::tally_text;
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::scripts::SETTLE;
use crate::state::State;

const WHAT: &str = "a settle";

/// As [`MemoryStore::settle`](memory_core::MemoryStore::settle).
pub(crate) async fn settle(
    inner: &Inner,
    key: &ConversationKey,
    settle: Settle,
) -> Result<Settled, Fault> {
    check_key(key, &inner.limits)?;
    let all = settle.settlements.len() as u64;
    let applying: Vec<&Settlement> =
        settle.settlements.iter().filter(|settlement| !settlement.steps_back()).collect();
    for settlement in &applying {
        check_tally(settlement.tally)?;
    }
    let code = inner.code(&settle.counter).await?;
    let keys = inner.prefix.keys(key);
    let answer = inner.client.script(&SETTLE, &keys, |command| {
        command.arg(keys.name.bytes()).arg(settle.epoch.as_str()).arg(code.as_str());
        command.arg(Limits::COUNTERS).arg(applying.len());
        for change in changes(&applying) {
            command.arg(change.to_string());
        }
        for settlement in &applying {
            let expected = settlement.expected.map_or_else(String::new, tally_text);
            let behind = [settlement.fingerprint.as_str(), code.as_str(), &expected].concat();
            command.arg(settlement.seq.get()).arg(behind).arg(tally_text(settlement.tally));
        }
    });
    read(inner, &keys, all, answer.await?).map_err(Fault::late)
}

/// By how much tokens, tallies, estimates and fallbacks change if all is applied.
fn changes(applying: &[&Settlement]) -> [i128; 4] {
    let figures = |tally: Tally| {
        let flags = [true, tally.is_pending(), tally.is_fallback()].map(i128::from);
        [i128::from(tally.tokens), flags[0], flags[1], flags[2]]
    };
    let mut changes = [0; 4];
    for settlement in applying {
        let before = settlement.expected.map_or([0; 4], figures);
        for ((change, before), after) in
            changes.iter_mut().zip(before).zip(figures(settlement.tally))
        {
            *change += after - before;
        }
    }
    changes
}

fn read(inner: &Inner, keys: &Keys, all: u64, answer: Value) -> Result<Settled, Fault> {
    let mut parts = array(answer, WHAT)?.into_iter();
    let mut part = || parts.next().unwrap_or(Value::Nil);
    match bytes(part()).as_deref() {
        Some(b"L") => Err(too_many_counters(&part())),
        Some(b"S") => {
            let applied = count(&part(), WHAT)?;
            let state = State::decode(array(part(), WHAT)?)?;
            if let Some(state) = &state {
                inner.known.note(&keys.name, state, |_| {});
            }
            let totals = state.map_or(Totals::EMPTY, |state| state.totals());
            Ok(Settled { applied, skipped: all.saturating_sub(applied), totals })
        }
        _ => Err(Fault::answer(WHAT)),
    }
}
