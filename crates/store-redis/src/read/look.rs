//! Looks at one conversation: its state and whatever else, of one moment.

use cache_redis::connection::{Cmd, Pipeline, Value, cmd};
use memory_core::StoredMessage;

use crate::answer::{array, count, texts};
use crate::client::none_failed;
use crate::damage::Damage;
use crate::element::{Code, Element};
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Keys;
use crate::payload;
use crate::state::{self, State, seq};

const WHAT: &str = "a read";

/// Reads the state together with what `commands` ask for; none where there is no conversation.
pub(crate) async fn look(
    inner: &Inner,
    keys: &Keys,
    code: Option<Code>,
    commands: impl IntoIterator<Item = Cmd>,
) -> Result<Option<(State, Vec<Value>)>, Fault> {
    let mut pipeline = Pipeline::with_capacity(8);
    pipeline.atomic();
    pipeline.add_command(state::read(keys.meta(), code));
    pipeline.cmd("LLEN").arg(keys.tallies());
    pipeline.cmd("LLEN").arg(keys.payloads());
    for command in commands {
        pipeline.add_command(command);
    }
    let mut answers = none_failed(inner.client.reads(keys, &pipeline).await?)?;
    if answers.len() < 3 {
        return Err(Fault::answer(WHAT));
    }
    let rest = answers.split_off(3);
    let (tallies, payloads) = (count(&answers[1], WHAT)?, count(&answers[2], WHAT)?);
    let state = State::decode(array(answers.swap_remove(0), WHAT)?)?;
    let Some(state) = state else {
        inner.known.forget(&keys.name);
        return match (tallies, payloads) {
            (0, 0) => Ok(None),
            _ => Err(Damage::of_script("meta").into()),
        };
    };
    state.check(tallies, payloads)?;
    Ok(Some((state, rest)))
}

/// Reads some elements by their indexes, both included.
pub(crate) async fn elements(
    inner: &Inner,
    keys: &Keys,
    code: Option<Code>,
    from: u64,
    to: u64,
) -> Result<Option<(State, Vec<Vec<u8>>)>, Fault> {
    let read = look(inner, keys, code, [range(keys.tallies(), from, to)]).await?;
    let Some((state, mut answers)) = read else { return Ok(None) };
    let elements = answers.pop().unwrap_or(Value::Nil);
    Ok(Some((state, texts(elements, WHAT)?)))
}

pub(crate) fn range(list: &[u8], from: u64, to: u64) -> Cmd {
    let mut command = cmd("LRANGE");
    command.arg(list).arg(from).arg(to);
    command
}

/// The command that reads the stored head.
pub(crate) fn head(meta: &[u8]) -> Cmd {
    let mut command = cmd("HGET");
    command.arg(meta).arg("H");
    command
}

/// The messages of the stored head.
pub(crate) fn head_messages(
    state: &State,
    packed: Value,
    code: Option<Code>,
) -> Result<Vec<StoredMessage>, Fault> {
    let packed = crate::answer::bytes(packed).unwrap_or_default();
    let head = payload::head(&packed)?;
    if head.len() as u64 != state.kept {
        return Err(Damage("its stored head is not whole").into());
    }
    let stored = (1..).zip(head).map(|(number, (element, entry))| {
        message(number, &Element::parse(element)?, entry, code).map_err(Fault::from)
    });
    stored.collect()
}

/// A message as the contract has it.
pub(crate) fn message(
    number: u64,
    element: &Element<'_>,
    entry: &[u8],
    code: Option<Code>,
) -> Result<StoredMessage, Damage> {
    Ok(StoredMessage {
        seq: seq(number),
        fingerprint: element.fingerprint,
        class: element.class,
        tally: element.tally(code),
        payload: payload::decode(entry)?,
    })
}
