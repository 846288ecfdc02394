//! Appends by a script, which looks before it writes.

use cache_redis::connection::{Cmd, Value};
use memory_core::{Appended, AppendedMessage, LimitKind, Limits, StoreError};

use super::append::of_nothing;
use super::prepared::{Prepared, PreparedMessage};
use crate::answer::{array, bytes, count, number};
use crate::bounds::MOST_SPAN;
use crate::element::{Code, Element, tally_text};
use crate::error::{Fault, RedisStoreError};
use crate::inner::Inner;
use crate::keys::Keys;
use crate::scripts::APPEND;
use crate::state::{State, seq};

const WHAT: &str = "an append";

/// Sends it, or sends it once more: what an attempt before has written is then told as new.
pub(super) async fn append(
    inner: &Inner,
    keys: &Keys,
    prepared: &Prepared,
    code: Code,
    is_repeated: bool,
) -> Result<Appended, Fault> {
    let ttl = inner.ttl();
    let limits = &inner.limits;
    let largest = limits.message_bytes.saturating_add(limits.id_bytes).saturating_add(3) as u64;
    let largest = largest.min(MOST_SPAN).next_power_of_two();
    let text = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let arguments = |command: &mut Cmd| {
        command.arg(keys.name.bytes()).arg(code.as_str()).arg(prepared.new_epoch.as_str());
        command.arg(prepared.grace).arg(text(ttl)).arg(prepared.largest);
        command.arg(largest).arg(Limits::COUNTERS).arg(prepared.messages.len());
        for sent in &prepared.messages {
            let PreparedMessage { message, beginning, digest } = sent;
            command.arg(&*sent.entry()).arg(beginning).arg(tally_text(message.tally));
            command.arg(message.id.as_ref().map_or("", |id| id.as_str()));
            command.arg(digest.as_ref().map_or(&[][..], <[u8; 16]>::as_slice));
        }
    };
    let wanted = if prepared.messages.is_empty() { 0 } else { inner.wait_replicas };
    let answered = if wanted == 0 {
        inner.client.script(&APPEND, keys, arguments).await.map(|answer| (answer, 0))
    } else {
        inner.client.replicated(&APPEND, keys, wanted, arguments).await
    };
    let (answer, answered) = answered.inspect_err(|_| inner.known.forget(&keys.name))?;
    // What cannot be read is the answer to an append that may be done.
    let mut appended = read(inner, keys, prepared, code, answer).map_err(Fault::late)?;
    if is_repeated {
        for (answer, sent) in appended.messages.iter_mut().zip(&prepared.messages) {
            answer.new |= answer.fingerprint == Some(sent.message.fingerprint);
        }
    }
    if answered < u64::from(wanted) {
        return Err(Fault::Late(RedisStoreError::Replicas { wanted, answered }));
    }
    Ok(appended)
}

fn read(
    inner: &Inner,
    keys: &Keys,
    prepared: &Prepared,
    code: Code,
    answer: Value,
) -> Result<Appended, Fault> {
    let mut parts = array(answer, WHAT)?.into_iter();
    let mut part = || parts.next().unwrap_or(Value::Nil);
    match bytes(part()).as_deref() {
        Some(b"A") => {
            let (state, answers) = (array(part(), WHAT)?, array(part(), WHAT)?);
            let now = count(&part(), WHAT)?;
            inner.time.heard(now);
            let Some(state) = State::decode(state)? else {
                return if prepared.messages.is_empty() {
                    Ok(of_nothing(prepared))
                } else {
                    Err(Fault::answer(WHAT))
                };
            };
            // The script has put the end off if a quarter of the time had gone: so much is sure.
            let sure = inner.ttl().map_or(0, |ttl| (now + ttl).saturating_sub(ttl / 4));
            inner.known.note(&keys.name, &state, |guess| guess.ends = guess.ends.max(sure));
            if answers.len() != prepared.messages.len() {
                return Err(Fault::answer(WHAT));
            }
            let answers = answers.into_iter().zip(&prepared.messages);
            let messages = answers.map(|(answer, message)| read_answer(answer, message, code));
            let messages = messages.collect::<Result<_, Fault>>()?;
            Ok(Appended { epoch: state.epoch, messages, totals: state.totals() })
        }
        Some(b"C") => {
            let (place, known) = (count(&part(), WHAT)?, count(&part(), WHAT)?);
            let place = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
            let message = place.and_then(|place| prepared.messages.get(place));
            let id = message.and_then(|message| message.message.id.clone());
            let id = id.ok_or_else(|| Fault::answer(WHAT))?;
            Err(StoreError::Conflict { id, seq: seq(known) }.into())
        }
        Some(b"L") => Err(too_many_counters(&part())),
        _ => Err(Fault::answer(WHAT)),
    }
}

fn read_answer(
    answer: Value,
    message: &PreparedMessage,
    code: Code,
) -> Result<AppendedMessage, Fault> {
    if let Some(new) = number(&answer) {
        let (tally, fingerprint) = (message.message.tally, message.message.fingerprint);
        return Ok(AppendedMessage {
            seq: seq(new),
            new: true,
            tally: Some(tally),
            fingerprint: Some(fingerprint),
        });
    }
    let mut known = array(answer, WHAT)?.into_iter();
    let place = count(&known.next().unwrap_or(Value::Nil), WHAT)?;
    let element = known.next().and_then(bytes).ok_or_else(|| Fault::answer(WHAT))?;
    let element = if element.is_empty() { None } else { Some(Element::parse(&element)?) };
    Ok(AppendedMessage {
        seq: seq(place),
        new: false,
        tally: element.and_then(|element| element.tally(Some(code))),
        fingerprint: element.map(|element| element.fingerprint),
    })
}

/// The refusal of one counter more than a conversation can have.
pub(crate) fn too_many_counters(found: &Value) -> Fault {
    let found = number(found).and_then(|found| usize::try_from(found).ok());
    let found = found.unwrap_or(Limits::COUNTERS + 1);
    match Limits::default().check(LimitKind::Counters, found) {
        Err(limit) => limit.into(),
        Ok(()) => Fault::answer(WHAT),
    }
}
