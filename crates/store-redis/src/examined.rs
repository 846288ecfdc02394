//! What is stored of a conversation, read without trusting any of it.

use std::collections::{BTreeMap, BTreeSet};

use cache_redis::connection::{Pipeline, Value};

use crate::answer::{bytes, number, texts};
use crate::element::{Code, Element};
use crate::error::{Fault, RedisStoreError};
use crate::inner::Inner;
use crate::keys::Keys;
use crate::payload;
use crate::read::look::range;
use crate::state::{State, Sums};

const WHAT: &str = "a check";

/// Elements that are read at a time.
const CHUNK: u64 = 2048;

/// How often a read begins again that others disturb.
const ATTEMPTS: usize = 20;

/// Everything that a check compares.
#[derive(Debug)]
pub(crate) struct Examined {
    /// The fields of the hash as they are; empty where it is none.
    pub(crate) fields: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What they say, if they can be read.
    pub(crate) state: Option<State>,
    /// Lengths of tallies and payloads; none where a key is of another type.
    pub(crate) lengths: [Option<u64>; 2],
    /// Messages of the stored head, as far as it is whole.
    pub(crate) kept: u64,
    /// What the messages say, in the order of their first sight.
    pub(crate) sums: Vec<(Code, Sums)>,
    /// Whether the indexes of pendings and of fallbacks name the conversation.
    pub(crate) indexed: [bool; 2],
    /// Callers' ids; none where their key is of another type.
    pub(crate) ids: Option<u64>,
    /// The oldest seq whose payload is there, or the one after the last.
    pub(crate) first: u64,
    /// The last seq.
    pub(crate) last: u64,
    /// Seqs behind the head whose element is gone or cannot be read.
    pub(crate) missing: BTreeSet<u64>,
}

/// Reads all of it; none where nothing is there.
pub(crate) async fn examine(inner: &Inner, keys: &Keys) -> Result<Option<Examined>, Fault> {
    for _ in 0..ATTEMPTS {
        let Some(mut examined) = begin(inner, keys).await? else { return Ok(None) };
        if examined.add_up(inner, keys).await? {
            return Ok(Some(examined));
        }
    }
    Err(RedisStoreError::Busy.into())
}

fn pipeline(keys: &Keys) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(8);
    pipeline.atomic();
    pipeline.cmd("HGETALL").arg(keys.meta());
    pipeline.cmd("LLEN").arg(keys.tallies());
    pipeline.cmd("LLEN").arg(keys.payloads());
    pipeline.cmd("HLEN").arg(keys.ids());
    pipeline.cmd("ZSCORE").arg(keys.pendings()).arg(keys.name.bytes());
    pipeline.cmd("ZSCORE").arg(keys.fallbacks()).arg(keys.name.bytes());
    pipeline
}

type Fields = BTreeMap<Vec<u8>, Vec<u8>>;

fn fields(value: Value) -> Fields {
    let texts = texts(value, WHAT).unwrap_or_default();
    texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

async fn begin(inner: &Inner, keys: &Keys) -> Result<Option<Examined>, Fault> {
    let answers = inner.client.reads(keys, &pipeline(keys)).await?;
    let Ok([hash, tallies, payloads, ids, pending, fallback]) = <[Value; 6]>::try_from(answers)
    else {
        return Err(Fault::answer(WHAT));
    };
    let is_other = matches!(hash, Value::ServerError(_));
    let fields = fields(hash);
    let (lengths, ids) = ([number(&tallies), number(&payloads)], number(&ids));
    if fields.is_empty() && !is_other && lengths == [Some(0), Some(0)] && ids == Some(0) {
        return Ok(None);
    }
    let value =
        |name: &str| fields.get(name.as_bytes()).cloned().map_or(Value::Nil, Value::BulkString);
    let state = State::decode(vec![value("e"), value("s"), value("a")]).ok().flatten();
    let longest = lengths.iter().flatten().copied().max().unwrap_or(0);
    let physical = state.as_ref().map_or(1, |state| state.physical);
    let oldest = state.as_ref().map_or(1, State::oldest_in_lists);
    // Seqs that a trim has passed are not given out again, though the lists are gone.
    let last = (physical + longest).saturating_sub(1).max(oldest - 1);
    let head = payload::head(fields.get(&b"H"[..]).map_or(&[][..], Vec::as_slice));
    let kept = state.as_ref().map_or(0, |state| state.kept);
    let kept = if head.is_ok_and(|head| head.len() as u64 == kept) { kept } else { 0 };
    Ok(Some(Examined {
        state,
        kept,
        lengths,
        ids,
        sums: Vec::new(),
        indexed: [&pending, &fallback].map(|score| bytes(score.clone()).is_some()),
        first: (last + 1).saturating_sub(lengths[1].unwrap_or(0)).max(oldest),
        last,
        missing: BTreeSet::new(),
        fields,
    }))
}

impl Examined {
    /// Sums the messages; false where the conversation was changed meanwhile.
    async fn add_up(&mut self, inner: &Inner, keys: &Keys) -> Result<bool, Fault> {
        let packed = self.packed_head();
        for (element, _) in self.head(&packed)? {
            self.add(&Element::parse(element)?);
        }
        let length = self.lengths[0].unwrap_or(0);
        // The payloads' list may be the longer one; both end with the same message.
        let mut from = (self.last + 1).saturating_sub(length).max(self.first);
        self.missing.extend(self.first..from.min(self.last + 1));
        while from <= self.last {
            let to = (from + CHUNK - 1).min(self.last);
            let list = (keys.tallies(), length);
            let Some(elements) = self.range(inner, keys, list, from, to).await? else {
                return Ok(false);
            };
            for (seq, element) in (from..).zip(elements) {
                match Element::parse(&element) {
                    Ok(element) => self.add(&element),
                    Err(_) => drop(self.missing.insert(seq)),
                }
            }
            from = to + 1;
        }
        Ok(true)
    }

    /// Reads what a list of this length has for these seqs; none where the conversation was changed
    /// since it was examined.
    pub(crate) async fn range(
        &self,
        inner: &Inner,
        keys: &Keys,
        (list, length): (&[u8], u64),
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<Vec<u8>>>, Fault> {
        let behind = |seq: u64| (length + seq).saturating_sub(self.last + 1);
        let mut pipeline = pipeline(keys);
        pipeline.add_command(range(list, behind(from), behind(to)));
        let mut answers = inner.client.reads(keys, &pipeline).await?;
        let found = answers.pop().unwrap_or(Value::Nil);
        let lengths = [answers.get(1), answers.get(2)].map(|length| length.and_then(number));
        let now = answers.into_iter().next().map(fields).unwrap_or_default();
        if lengths != self.lengths || now != self.fields {
            return Ok(None);
        }
        Ok(Some(texts(found, WHAT)?))
    }

    /// The stored head as it is packed.
    pub(crate) fn packed_head(&self) -> Vec<u8> {
        self.fields.get(&b"H"[..]).cloned().unwrap_or_default()
    }

    /// The messages of the stored head, as far as it is whole.
    pub(crate) fn head<'a>(&self, packed: &'a [u8]) -> Result<Vec<payload::Kept<'a>>, Fault> {
        if self.kept == 0 { Ok(Vec::new()) } else { Ok(payload::head(packed)?) }
    }

    fn add(&mut self, element: &Element<'_>) {
        for (code, tally) in element.tallies() {
            let place = self.sums.iter().position(|(found, _)| *found == code);
            let place = place.unwrap_or_else(|| {
                self.sums.push((code, Sums::default()));
                self.sums.len() - 1
            });
            self.sums[place].1.add(tally);
        }
    }

    /// Whether callers' ids point to where their messages stand, if these are left as they are.
    pub(crate) fn keeps_ids(&self) -> bool {
        self.state.as_ref().is_some_and(|state| {
            self.ids == Some(state.ids)
                && (self.first, self.last) == (state.oldest_in_lists(), state.last)
                && self.kept == state.kept
        })
    }

    /// Messages that are there.
    pub(crate) fn messages(&self) -> u64 {
        self.kept + (self.last + 1 - self.first)
    }

    /// What is stored as a sum.
    pub(crate) fn stored(&self, letter: u8, code: Code) -> u64 {
        let field = crate::state::field(letter, code);
        let stored = self.fields.get(&field[..]).cloned().map(Value::BulkString);
        stored.as_ref().and_then(number).unwrap_or(0)
    }

    /// What the messages say under a counter.
    pub(crate) fn sums_of(&self, code: Code) -> Sums {
        let sums = self.sums.iter().find(|(found, _)| *found == code);
        sums.map_or_else(Sums::default, |(_, sums)| *sums)
    }

    /// The state that the messages say, if anything says which counter the life has.
    pub(crate) fn right(&self, epoch: memory_core::Epoch) -> Option<State> {
        let mut counters: Vec<Code> =
            self.state.as_ref().map_or_else(Vec::new, |state| state.counters.clone());
        for (code, _) in &self.sums {
            if !counters.contains(code) {
                counters.push(*code);
            }
        }
        let first = *counters.first()?;
        let in_lists = self.last + 1 - self.first;
        let was_whole = self.state.as_ref().is_none_or(|state| state.cut.is_none());
        let is_whole = self.first == 1 && was_whole;
        Some(State {
            epoch: self.state.as_ref().map_or(epoch, |state| state.epoch),
            last: self.last,
            physical: if in_lists == 0 { self.last } else { self.first },
            cut: (!is_whole).then_some(self.first),
            kept: if is_whole { 0 } else { self.kept },
            revision: self.state.as_ref().map_or(0, |state| state.revision) + 1,
            largest: self.state.as_ref().map_or(0, |state| state.largest),
            ids: self.state.as_ref().map_or(0, |state| state.ids),
            current: self.state.as_ref().map_or(first, |state| state.current),
            counters,
            sums: Sums::default(),
        })
    }
}
