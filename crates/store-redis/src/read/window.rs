//! Reads for windows: one round trip where the guess of what is needed was right.

use cache_redis::connection::{Cmd, Pipeline, Value, cmd};
use memory_core::{
    ConversationKey, MessageClass, StoredMessage, TailWalk, WindowQuery, WindowRead,
};

use super::look::{self, message};
use super::refresh::refresh;
use super::sizes::{GUESS_BYTES, Sizes};
use crate::answer::{array, bytes, count, texts};
use crate::damage::Damage;
use crate::element::{Code, Element};
use crate::error::{Fault, RedisStoreError};
use crate::inner::Inner;
use crate::keys::Keys;
use crate::payload;
use crate::scripts::PAYLOADS;
use crate::state::{self, State, seq};
use crate::write::check_key;

const WHAT: &str = "a window";

/// How often it is read again with other sizes. Each reads at least twice as far back.
const ATTEMPTS: usize = 64;

/// Messages that may be appended between two reads without a third one.
const MARGIN: u64 = 4;

/// What came of a read.
enum Read {
    Window(Box<WindowRead>),
    /// It was not enough.
    Again(Sizes),
}

/// As [`MemoryStore::read_window`](memory_core::MemoryStore::read_window).
pub(crate) async fn read_window(
    inner: &Inner,
    key: &ConversationKey,
    query: WindowQuery,
) -> Result<WindowRead, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    let code = inner.counters.find(&inner.client, &query.counter).await?;
    let mut sizes = Sizes::guess(query.budget, inner.known.get(&keys.name).as_ref());
    for _ in 0..ATTEMPTS {
        let Some(ends) = read(inner, &keys, code, sizes).await? else {
            inner.known.forget(&keys.name);
            return Ok(WindowRead::EMPTY);
        };
        match select(inner, &keys, code, query.budget, sizes, &ends)? {
            Read::Window(window) => {
                refresh(inner, &keys).await;
                return Ok(*window);
            }
            Read::Again(more) => sizes = more,
        }
    }
    Err(RedisStoreError::Busy.into())
}

/// Both ends of a conversation, at one moment.
struct Ends {
    state: State,
    head: Option<Vec<u8>>,
    newest: Vec<Vec<u8>>,
    /// Of the last messages.
    payloads: Vec<Vec<u8>>,
    oldest: Vec<Vec<u8>>,
    /// Of the first elements.
    leading: Vec<Vec<u8>>,
}

async fn read(
    inner: &Inner,
    keys: &Keys,
    code: Option<Code>,
    sizes: Sizes,
) -> Result<Option<Ends>, Fault> {
    let Sizes { newest, payloads, oldest, leading, guarded } = sizes;
    let mut pipeline = Pipeline::with_capacity(9);
    pipeline.atomic();
    pipeline.add_command(state::read(keys.meta(), code));
    pipeline.cmd("LLEN").arg(keys.tallies());
    pipeline.cmd("LLEN").arg(keys.payloads());
    pipeline.add_command(look::head(keys.meta()));
    pipeline.add_command(last(keys.tallies(), newest));
    pipeline.add_command(first(keys.tallies(), oldest));
    if guarded {
        let script = pipeline.cmd("EVALSHA").arg(&PAYLOADS.sha).arg(2);
        script.arg(keys.meta()).arg(keys.payloads()).arg(payloads).arg(leading).arg(GUESS_BYTES);
    } else {
        pipeline.add_command(last(keys.payloads(), payloads));
        pipeline.add_command(first(keys.payloads(), leading));
    }
    let mut answers = inner.client.reads(keys, &pipeline).await?.into_iter();
    let mut next = || match answers.next() {
        Some(Value::ServerError(_)) => Err(Fault::Damaged(Damage::TYPE)),
        Some(value) => Ok(value),
        None => Err(Fault::answer(WHAT)),
    };
    let (numbers, lengths) = (array(next()?, WHAT)?, [next()?, next()?]);
    let [tallies, entries] = [count(&lengths[0], WHAT)?, count(&lengths[1], WHAT)?];
    let Some(state) = State::decode(numbers)? else {
        return if tallies + entries == 0 {
            Ok(None)
        } else {
            Err(Damage::of_script("meta").into())
        };
    };
    state.check(tallies, entries)?;
    let head = bytes(next()?);
    let (newest, oldest) = (texts(next()?, WHAT)?, texts(next()?, WHAT)?);
    let (payloads, leading) = if guarded {
        // Nothing where it would be too much, and an error where the server has no such script.
        match answers.next() {
            Some(Value::Array(ends)) => two(ends)?,
            _ => (Vec::new(), Vec::new()),
        }
    } else {
        (texts(next()?, WHAT)?, texts(next()?, WHAT)?)
    };
    Ok(Some(Ends { state, head, newest, payloads, oldest, leading }))
}

type Texts = Vec<Vec<u8>>;

fn two(ends: Vec<Value>) -> Result<(Texts, Texts), Fault> {
    match <[Value; 2]>::try_from(ends) {
        Ok([newest, oldest]) => Ok((texts(newest, WHAT)?, texts(oldest, WHAT)?)),
        Err(_) => Err(Fault::answer(WHAT)),
    }
}

/// The last elements of a list. None at all would be asked for with another command.
fn last(list: &[u8], count: u64) -> Cmd {
    let mut command = cmd("LRANGE");
    match count {
        0 => command.arg(list).arg(1).arg(0),
        count => command.arg(list).arg(format!("-{count}")).arg(-1),
    };
    command
}

/// The first elements of a list.
fn first(list: &[u8], count: u64) -> Cmd {
    let mut command = cmd("LRANGE");
    match count {
        0 => command.arg(list).arg(1).arg(0),
        count => command.arg(list).arg(0).arg(count - 1),
    };
    command
}

/// Takes what a window of the budget needs, if it is all there.
fn select(
    inner: &Inner,
    keys: &Keys,
    code: Option<Code>,
    budget: u64,
    sizes: Sizes,
    ends: &Ends,
) -> Result<Read, Fault> {
    let state = &ends.state;
    let sizes = Sizes { guarded: false, ..sizes };
    let Some(head) = head_of(ends)? else {
        // Everything at the old end that was read is leading.
        let oldest = (ends.oldest.len() as u64 * 4).max(8);
        // Their payloads come when it is known which of them are the head, whatever their sizes.
        return Ok(Read::Again(Sizes { oldest, leading: 0, ..sizes }));
    };
    let behind = (state.last + 1).saturating_sub(head.first);
    let walked = walk(&ends.newest, code, behind, TailWalk::new(budget, head.least(code)?))?;
    let Walked { taken, tokens, is_enough } = walked;
    let mean = tokens / taken.max(1);
    inner.known.note(&keys.name, state, |guess| {
        guess.tokens = mean;
        guess.leading = state.cut.is_none().then_some(head.elements);
    });
    let leading = if state.cut.is_none() { head.elements as u64 } else { 0 };
    if !is_enough && taken < behind {
        // By what was read, with a quarter more, and further in any case.
        let needed = budget.saturating_sub(tokens) / mean.max(1);
        let more = (needed.saturating_mul(5) / 4).saturating_add(taken.max(16));
        let newest = taken.saturating_add(more).min(behind) + MARGIN;
        let is_even = state.largest > 0 && newest.saturating_mul(state.largest) <= GUESS_BYTES;
        let payloads = if is_even { newest } else { 0 };
        return Ok(Read::Again(Sizes { newest, payloads, leading, ..sizes }));
    }
    if (ends.payloads.len() as u64) < taken || head.is_missing() {
        let newest = taken + MARGIN;
        return Ok(Read::Again(Sizes { newest, payloads: newest, leading, ..sizes }));
    }
    let count = usize::try_from(taken).unwrap_or(usize::MAX);
    let elements = &ends.newest[ends.newest.len() - count..];
    let entries = &ends.payloads[ends.payloads.len() - count..];
    let pairs = elements.iter().zip(entries);
    let pairs = pairs.map(|(element, entry)| (element.as_slice(), Some(entry.as_slice())));
    Ok(Read::Window(Box::new(WindowRead {
        epoch: Some(state.epoch),
        first: seq(head.first),
        next_seq: state.next_seq(),
        totals: state.totals(),
        head: messages(1, head.pairs, code)?,
        tail: messages(state.last + 1 - taken, pairs, code)?,
        reached_start: taken == behind,
    })))
}

type Pair<'a> = (&'a [u8], Option<&'a [u8]>);

/// The head: elements, with their payloads as far as they were read.
struct Head<'a> {
    pairs: Vec<Pair<'a>>,
    /// The seq behind it.
    first: u64,
    /// Elements of the lists before that.
    elements: usize,
}

impl Head<'_> {
    fn is_missing(&self) -> bool {
        self.pairs.iter().any(|(_, entry)| entry.is_none())
    }

    /// What it costs at least.
    fn least(&self, code: Option<Code>) -> Result<u64, Damage> {
        self.pairs.iter().try_fold(0_u64, |sum, (element, _)| {
            Ok(sum.saturating_add(Element::parse(element)?.lower_bound(code)))
        })
    }
}

/// Finds the head; none where it may be longer than what was read.
fn head_of(ends: &Ends) -> Result<Option<Head<'_>>, Fault> {
    let Ends { state, head, oldest, leading, .. } = ends;
    if let Some(first) = state.cut {
        let packed = head.as_deref().unwrap_or_default();
        let pairs = payload::head(packed)?.into_iter();
        let pairs: Vec<_> = pairs.map(|(element, entry)| (element, Some(entry))).collect();
        if pairs.len() as u64 != state.kept {
            return Err(Damage("its stored head is not whole").into());
        }
        return Ok(Some(Head { pairs, first, elements: 0 }));
    }
    // Before the first message there may be an element that only keeps the list alive.
    let dead = usize::from(state.physical == 0);
    let mut run = 0;
    for element in oldest.iter().skip(dead) {
        if Element::parse(element)?.class != MessageClass::Instruction {
            break;
        }
        run += 1;
    }
    let elements = dead + run;
    if elements >= oldest.len() && (oldest.len() as u64) < state.length() {
        return Ok(None);
    }
    let entry = |place: usize| leading.get(place).map(Vec::as_slice);
    let pairs = (dead..elements).map(|place| (oldest[place].as_slice(), entry(place))).collect();
    Ok(Some(Head { pairs, first: 1 + run as u64, elements }))
}

/// How far the rule for windows walks back.
struct Walked {
    taken: u64,
    /// What the messages cost at least.
    tokens: u64,
    is_enough: bool,
}

fn walk(
    newest: &[Vec<u8>],
    code: Option<Code>,
    behind: u64,
    mut walk: TailWalk,
) -> Result<Walked, Damage> {
    let mut walked = Walked { taken: 0, tokens: 0, is_enough: false };
    for element in newest.iter().rev() {
        if walked.taken == behind {
            break;
        }
        let element = Element::parse(element)?;
        let least = element.lower_bound(code);
        walked.taken += 1;
        walked.tokens = walked.tokens.saturating_add(least);
        if walk.push(element.class, least).is_break() {
            walked.is_enough = true;
            break;
        }
    }
    Ok(walked)
}

fn messages<'a>(
    first: u64,
    pairs: impl IntoIterator<Item = Pair<'a>>,
    code: Option<Code>,
) -> Result<Vec<StoredMessage>, Damage> {
    let pairs = (first..).zip(pairs);
    let messages = pairs.map(|(number, (element, entry))| {
        message(number, &Element::parse(element)?, entry.unwrap_or_default(), code)
    });
    messages.collect()
}
