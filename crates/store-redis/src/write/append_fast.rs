//! Appends without a script: a transaction in one write.
//!
//! It serves where nothing has to be looked up before: no caller's id, and a conversation that was
//! counted under the batch's counter only, as far as this process knows. It costs the server about
//! half of what the script does.

use std::sync::Arc;

use cache_redis::connection::{Pipeline, Value, cmd};
use memory_core::{Appended, Tally};

use super::append::{all_new, uses_time};
use super::counter;
use super::prepared::Prepared;
use crate::answer::count;
use crate::element::Code;
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::known::Guess;
use crate::schema;
use crate::state::{self, State};

/// What it takes.
pub(super) struct Fast<'a> {
    pub(super) inner: &'a Arc<Inner>,
    pub(super) keys: &'a Keys,
    pub(super) prepared: &'a Prepared,
    pub(super) code: Code,
    pub(super) guess: Guess,
}

pub(super) async fn append(fast: Fast<'_>) -> Result<Appended, Fault> {
    let Fast { inner, keys, prepared, code, guess } = fast;
    let ends = inner.ends(guess.ends);
    let times = Times { ends, is_used: uses_time(inner, prepared) };
    let pipeline = pipeline(inner, keys, prepared, code, &times);
    let answered = inner.client.transaction(keys, &pipeline).await;
    let checked = answered.and_then(|answers| checked(inner, &times, answers));
    let state = match checked {
        Ok(state) => state,
        Err(fault) => {
            // The next one looks before it writes.
            inner.known.forget(&keys.name);
            // What does not fit together is seen after the write.
            return Err(fault.late());
        }
    };
    inner.known.note(&keys.name, &state, |guess| {
        if let Some((ends, true)) = ends {
            guess.ends = ends;
        }
    });
    let mut totals = state.totals();
    if state.epoch == prepared.new_epoch && totals.pending > 0 {
        // A lease of the life before must not hold up this one's.
        let (lane, due) = (inner.client.lane(keys), due(inner, prepared));
        let mut earlier = cmd("ZADD");
        earlier.arg(keys.pendings()).arg("XX").arg(due).arg(keys.name.bytes());
        let earlier = tokio::spawn(async move { lane.run(&earlier).await });
        drop(earlier.await);
    }
    let is_larger = state.largest > 0 && prepared.largest > state.largest;
    if !state.has_only(code) || is_larger {
        // Others have counted it under another counter meanwhile, or it is another life. That is
        // gone through with though nobody waits for it, and cannot undo what was appended.
        let largest = if is_larger { prepared.largest } else { 0 };
        let (inner, keys) = (Arc::clone(inner), inner.prefix.keys_of(keys.name.clone()));
        let switching =
            tokio::spawn(async move { counter::switch(&inner, &keys, code, largest).await });
        if let Ok(Ok(Some(now))) = switching.await {
            totals = now.totals();
        }
    }
    Ok(Appended { epoch: state.epoch, messages: all_new(prepared, state.last), totals })
}

/// The moments of a transaction.
struct Times {
    /// When the conversation ends that is written to now, and whether an end that it has is put
    /// off.
    ends: Option<(u64, bool)>,
    /// Whether the server is told a time, so that it is to tell its own.
    is_used: bool,
}

fn pipeline(
    inner: &Inner,
    keys: &Keys,
    prepared: &Prepared,
    code: Code,
    times: &Times,
) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(16);
    pipeline.atomic();
    let messages = &prepared.messages;
    pipeline.cmd("RPUSH").arg(keys.payloads());
    for message in messages {
        pipeline.arg(message.entry.as_slice());
    }
    pipeline.cmd("RPUSH").arg(keys.tallies());
    let mut element = Vec::with_capacity(24);
    for message in messages {
        element.clear();
        element.extend_from_slice(&message.beginning);
        element.extend_from_slice(code.as_str().as_bytes());
        element.extend_from_slice(message.tally.as_bytes());
        pipeline.arg(element.as_slice());
    }
    let epoch = format!("{}{}", prepared.new_epoch, code.as_str());
    pipeline.cmd("HSETNX").arg(keys.meta()).arg("e").arg(epoch);
    let mut add = |field: &str, number: u64| {
        pipeline.cmd("HINCRBY").arg(keys.meta()).arg(field).arg(number);
    };
    let tallies = || messages.iter().map(|message| message.message.tally);
    let number = |which: fn(Tally) -> bool| tallies().filter(|tally| which(*tally)).count() as u64;
    add("s", messages.len() as u64);
    add(&state::field("n", code), tallies().map(|tally| tally.tokens).sum());
    add(&state::field("k", code), messages.len() as u64);
    let (estimated, fallback) = (number(Tally::is_pending), number(Tally::is_fallback));
    if estimated > 0 {
        add(&state::field("q", code), estimated);
    }
    if fallback > 0 {
        add(&state::field("b", code), fallback);
    }
    let mut index = |key: &[u8], due: u64| {
        pipeline.cmd("ZADD").arg(key).arg("NX").arg(due).arg(keys.name.bytes());
    };
    if estimated > 0 {
        index(keys.pendings(), due(inner, prepared));
    }
    if fallback > 0 {
        index(keys.fallbacks(), 0);
    }
    if let Some((ends, is_put_off)) = times.ends {
        expire(&mut pipeline, keys, ends, is_put_off);
    }
    if times.is_used {
        pipeline.cmd("TIME");
    }
    pipeline.add_command(state::read(keys.meta(), Some(code)));
    pipeline
}

/// When what is pending here is due.
fn due(inner: &Inner, prepared: &Prepared) -> u64 {
    match prepared.grace {
        0 => 0,
        grace => inner.time.now().saturating_add(grace),
    }
}

/// Gives keys that have no end theirs, and puts it off where that is due. What was just made has
/// no end, and one that has none is never put off.
fn expire(pipeline: &mut Pipeline, keys: &Keys, ends: u64, is_put_off: bool) {
    for key in &keys.all()[..4] {
        pipeline.cmd("PEXPIREAT").arg(key.as_slice()).arg(ends).arg("NX");
    }
    if is_put_off {
        for key in &keys.all()[..4] {
            pipeline.cmd("PEXPIREAT").arg(key.as_slice()).arg(ends).arg("GT");
        }
    }
}

/// The state after the transaction, if lists and numbers agree.
fn checked(inner: &Inner, times: &Times, mut answers: Vec<Value>) -> Result<State, Fault> {
    const WHAT: &str = "an append";
    let state = match answers.pop() {
        Some(Value::Array(values)) => State::decode(values)?,
        _ => None,
    };
    if times.is_used {
        inner.time.heard(schema::time_of(answers.pop().unwrap_or(Value::Nil))?);
    }
    let [payloads, tallies, ..] = answers.as_slice() else { return Err(Fault::answer(WHAT)) };
    let state = state.ok_or_else(|| Fault::answer(WHAT))?;
    state.check(count(tallies, WHAT)?, count(payloads, WHAT)?)?;
    Ok(state)
}
