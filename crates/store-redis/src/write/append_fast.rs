//! Appends without a script: a transaction in one write.
//!
//! It serves where nothing has to be looked up before: no caller's id, and a conversation that was
//! counted under the batch's counter only, as far as this process knows. It costs the server about
//! half of what the script does.

use std::sync::Arc;

use cache_redis::connection::{Cmd, Pipeline, Value, cmd};
use memory_core::{Appended, Epoch};

use super::append::{all_new, uses_time};
use super::counter;
use super::prepared::Prepared;
use crate::answer::{array, count};
use crate::element::{Code, write_element};
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::known::Guess;
use crate::schema;
use crate::state::{self, State, Sums};

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
        Box::pin(bring_forward(inner, keys, prepared)).await;
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

/// Lets a new life be swept when its own pendings are due: a lease of the life before must not hold
/// it up. That is gone through with though nobody waits for it.
async fn bring_forward(inner: &Inner, keys: &Keys, prepared: &Prepared) {
    let (lane, due) = (inner.client.lane(keys), due(inner, prepared));
    let mut earlier = cmd("ZADD");
    earlier.arg(keys.pendings()).arg("XX").arg(due).arg(keys.name.bytes());
    let earlier = tokio::spawn(async move { lane.run(&earlier).await });
    drop(earlier.await);
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
    let messages = &prepared.messages;
    let mut sums = Sums::default();
    for message in messages {
        sums.add(message.message.tally);
    }
    // As many as a plain one has.
    let mut pipeline = Pipeline::with_capacity(8);
    pipeline.atomic();
    let [meta, tallies, payloads, ids, pendings, fallbacks] = keys.all();
    let words = 2 + messages.len();
    let bytes: usize = messages.iter().map(|message| message.message.payload.len() + ROOM).sum();
    let mut push = command("RPUSH", payloads, words, bytes);
    for message in messages {
        push.arg(&*message.entry());
    }
    pipeline.add_command(push);
    let mut push = command("RPUSH", tallies, words, ROOM * messages.len());
    let mut element = Vec::with_capacity(ROOM);
    for message in messages {
        element.clear();
        write_element(&mut element, &message.beginning, code, message.message.tally);
        push.arg(element.as_slice());
    }
    pipeline.add_command(push);
    let mut epoch = [0; Epoch::LENGTH + Code::LENGTH];
    epoch[..Epoch::LENGTH].copy_from_slice(prepared.new_epoch.as_str().as_bytes());
    epoch[Epoch::LENGTH..].copy_from_slice(&code.bytes());
    let mut begin = command("HSETNX", meta, 4, 1 + epoch.len());
    begin.arg("e").arg(&epoch);
    pipeline.add_command(begin);
    let mut add = |field: &[u8], number: u64| {
        let mut add = command("HINCRBY", meta, 4, field.len() + ROOM);
        add.arg(field).arg(number);
        pipeline.add_command(add);
    };
    add(b"s", messages.len() as u64);
    for (letter, number) in Sums::FIELDS.into_iter().zip(sums.values()) {
        // What is counted from the first is there from the first, be it none.
        if number > 0 || matches!(letter, b'n' | b'k') {
            add(&state::field(letter, code), number);
        }
    }
    let mut index = |key: &[u8], due: u64| {
        let mut enter = command("ZADD", key, 5, ROOM + keys.name.bytes().len());
        enter.arg("NX").arg(due).arg(keys.name.bytes());
        pipeline.add_command(enter);
    };
    if sums.estimated > 0 {
        index(pendings, due(inner, prepared));
    }
    if sums.fallback > 0 {
        index(fallbacks, 0);
    }
    if let Some((ends, is_put_off)) = times.ends {
        // What was just made has no end, and one that has none is never put off.
        for which in ["NX"].into_iter().chain(is_put_off.then_some("GT")) {
            for key in [meta, tallies, payloads, ids] {
                let mut expire = command("PEXPIREAT", key, 4, ROOM);
                expire.arg(ends).arg(which);
                pipeline.add_command(expire);
            }
        }
    }
    if times.is_used {
        pipeline.cmd("TIME");
    }
    // The others are answers of what was added.
    let mut read = command("HMGET", meta, 6, ROOM);
    read.arg("e").arg("a").arg(&state::field(b'q', code)).arg(&state::field(b'b', code));
    pipeline.add_command(read);
    pipeline
}

/// Bytes that are enough for a number, an option or an element.
const ROOM: usize = 32;

/// The beginning of a command, with room for so many words, and bytes behind the key.
fn command(name: &str, key: &[u8], words: usize, bytes: usize) -> Cmd {
    let mut command = Cmd::with_capacity(words, name.len() + key.len() + bytes);
    command.arg(name).arg(key);
    command
}

/// When what is pending here is due.
fn due(inner: &Inner, prepared: &Prepared) -> u64 {
    match prepared.grace {
        0 => 0,
        grace => inner.time.now().saturating_add(grace),
    }
}

/// The state after the transaction, if lists and numbers agree.
fn checked(inner: &Inner, times: &Times, mut answers: Vec<Value>) -> Result<State, Fault> {
    const WHAT: &str = "an append";
    let read = array(answers.pop().unwrap_or(Value::Nil), WHAT)?;
    let Ok([epoch, admin, estimated, fallback]) = <[Value; 4]>::try_from(read) else {
        return Err(Fault::answer(WHAT));
    };
    if times.is_used {
        inner.time.heard(schema::time_of(answers.pop().unwrap_or(Value::Nil))?);
    }
    let mut answers = answers.into_iter();
    let mut next = || answers.next().unwrap_or(Value::Nil);
    let (payloads, tallies, _begun) = (next(), next(), next());
    let (last, tokens, counted) = (next(), next(), next());
    let state = State::decode(vec![epoch, last, admin, tokens, counted, estimated, fallback])?;
    let state = state.ok_or_else(|| Fault::answer(WHAT))?;
    state.check(count(&tallies, WHAT)?, count(&payloads, WHAT)?)?;
    Ok(state)
}
