//! Making a conversation's numbers say what its messages say.

use std::collections::BTreeMap;

use memory_core::{ConversationKey, Epoch, Fingerprint, Message, MessageClass, RepairReport};

use super::lives::clear;
use super::prepared::check_key;
use crate::answer::count;
use crate::element::{Code, beginning};
use crate::error::{Fault, RedisStoreError};
use crate::examined::{Examined, examine};
use crate::inner::Inner;
use crate::keys::Keys;
use crate::payload;
use crate::read::differences;
use crate::scripts::MEND;
use crate::state::{State, Sums, field};

/// How often it begins again because the conversation was changed meanwhile.
const ATTEMPTS: usize = 20;

/// Payloads that are read at first, of which nothing is known.
const LEAST: u64 = 8;

/// Bytes in a read of payloads above which the next one is of fewer.
const BYTES: usize = 4 << 20;

/// What the protocol adds to an id or an element and what stands beside it, at most.
const OVERHEAD: u64 = 32;

/// The most bytes that a repair writes: ids and tallies of some millions of messages. The server
/// has a bound of 1 GiB.
const MOST_BYTES: u64 = 256 << 20;

/// As [`MemoryStore::repair`](memory_core::MemoryStore::repair) that mends.
///
/// Messages that lack their payload are lost; what is newer than all of these stays. Those that
/// lack their tallies wait to be counted. Callers' ids are made anew of the messages that are left,
/// unless they are whole.
pub(crate) async fn mend(inner: &Inner, key: &ConversationKey) -> Result<RepairReport, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    inner.known.forget(&keys.name);
    inner.renew().await?;
    for _ in 0..ATTEMPTS {
        let Some(mut examined) = examine(inner, &keys).await? else {
            return Ok(RepairReport::default());
        };
        let differences = differences(inner, &examined).await?;
        if differences.is_empty() {
            return Ok(RepairReport::default());
        }
        let Some(rebuilt) = rebuild(inner, &keys, &mut examined).await? else { continue };
        rebuilt.check()?;
        let Some(right) = examined.right(new_epoch()?) else {
            // No counter and no message is left to tell of.
            clear(inner, key).await?;
            return Ok(RepairReport { differences, mended: true });
        };
        let right = State {
            largest: rebuilt.largest.next_power_of_two(),
            ids: rebuilt.ids.as_ref().map_or(right.ids, |ids| ids.len() as u64),
            ..right
        };
        if send(inner, &keys, &examined, &right, &rebuilt).await? {
            return Ok(RepairReport { differences, mended: true });
        }
    }
    Err(RedisStoreError::Busy.into())
}

/// What is made of the payloads.
struct Rebuilt {
    /// Callers' ids with what stands for each; none where they stay as they are.
    ids: Option<BTreeMap<String, Vec<u8>>>,
    /// Elements that were lost, by their seqs.
    elements: Vec<(u64, Vec<u8>)>,
    /// The largest entry.
    largest: u64,
}

impl Rebuilt {
    /// Refuses what is more than one write may carry.
    fn check(&self) -> Result<(), RedisStoreError> {
        let ids = self.ids.iter().flatten().map(|(id, stored)| id.len() + stored.len());
        let elements = self.elements.iter().map(|(_, element)| element.len());
        let bytes: u64 = ids.chain(elements).map(|bytes| bytes as u64 + OVERHEAD).sum();
        if bytes > MOST_BYTES {
            return Err(RedisStoreError::Repair { bytes, most: MOST_BYTES });
        }
        Ok(())
    }
}

/// Reads all payloads; none where the conversation was changed since it was examined.
async fn rebuild(
    inner: &Inner,
    keys: &Keys,
    examined: &mut Examined,
) -> Result<Option<Rebuilt>, Fault> {
    let (mut ids, mut elements, mut largest) = (BTreeMap::new(), Vec::new(), 0);
    let digests = inner.schema.digests();
    let mut add_id = |seq: u64, entry: &[u8]| {
        if let Some(id) = payload::id(entry) {
            let payload = payload::decode(entry).unwrap_or_default();
            let digest = digests.of_content(&payload);
            ids.insert(id.to_owned(), [format!("{seq}:").as_bytes(), &digest].concat());
        }
    };
    let packed = examined.packed_head();
    for (seq, (_, entry)) in (1..).zip(examined.head(&packed)?) {
        add_id(seq, entry);
    }
    let list = (keys.payloads(), examined.lengths[1].unwrap_or(0));
    let (mut from, mut chunk) = (examined.first, LEAST);
    while from <= examined.last {
        let to = (from + chunk - 1).min(examined.last);
        let Some(entries) = examined.range(inner, keys, list, from, to).await? else {
            return Ok(None);
        };
        let bytes: usize = entries.iter().map(Vec::len).sum();
        for (seq, entry) in (from..).zip(&entries) {
            largest = largest.max(entry.len() as u64);
            if entry.is_empty() {
                // It only kept a list alive, and stands before all messages.
                examined.first = seq + 1;
                examined.missing.remove(&seq);
                continue;
            }
            add_id(seq, entry);
            if examined.missing.contains(&seq) {
                let class = class_of(entry);
                elements
                    .push((seq, beginning(class, Fingerprint::from_random(random()?)).to_vec()));
            }
        }
        chunk = if bytes < BYTES { chunk * 2 } else { (chunk / 2).max(1) };
        from = to + 1;
    }
    let ids = if examined.keeps_ids() { None } else { Some(ids) };
    Ok(Some(Rebuilt { ids, elements, largest }))
}

fn class_of(entry: &[u8]) -> MessageClass {
    let message = payload::decode(entry).ok().and_then(|text| Message::from_payload(text).ok());
    message.map_or(MessageClass::Other, |message| MessageClass::of(&message))
}

/// Writes what is right; false where something else is there by now.
async fn send(
    inner: &Inner,
    keys: &Keys,
    examined: &Examined,
    right: &State,
    rebuilt: &Rebuilt,
) -> Result<bool, Fault> {
    let found = |name: &str| examined.fields.get(name.as_bytes()).map_or(&[][..], Vec::as_slice);
    let length =
        |length: Option<u64>| length.map_or_else(|| "-1".to_owned(), |length| length.to_string());
    let answer = inner.client.script(&MEND, keys, |command| {
        command.arg(keys.name.bytes()).arg(found("e")).arg(found("s")).arg(found("a"));
        command.arg(length(examined.lengths[0])).arg(length(examined.lengths[1]));
        command.arg(format!("{}{}", right.epoch, right.counters[0].as_str()));
        command.arg(right.last).arg(administration(right));
        command.arg(examined.last + 1 - examined.first);
        let Rebuilt { ids, elements, .. } = rebuilt;
        command.arg(ids.as_ref().map_or_else(|| "-".to_owned(), |ids| ids.len().to_string()));
        command.arg(elements.len()).arg(sums(examined).count());
        for (id, stored) in ids.iter().flatten() {
            command.arg(id).arg(stored.as_slice());
        }
        for (seq, element) in elements {
            command.arg(format!("-{}", examined.last - seq + 1)).arg(element.as_slice());
        }
        for (name, sum) in sums(examined) {
            command.arg(&name).arg(sum);
        }
    });
    Ok(count(&answer.await?, "a repair").map_err(Fault::late)? == 1)
}

fn sums(examined: &Examined) -> impl Iterator<Item = ([u8; 1 + Code::LENGTH], u64)> {
    examined.sums.iter().flat_map(|(code, sums)| {
        let fields = Sums::FIELDS.map(|letter| field(letter, *code));
        fields.into_iter().zip(sums.values())
    })
}

/// The field `a` of a state.
fn administration(state: &State) -> String {
    let [first, others @ ..] = state.counters.as_slice() else { return String::new() };
    let current = if state.current == *first { "-" } else { state.current.as_str() };
    let others: String = others.iter().map(Code::as_str).collect();
    let others = if others.is_empty() { "-" } else { &others };
    let State { physical, cut, kept, revision, largest, ids, .. } = state;
    let cut = cut.unwrap_or(0);
    format!("{physical} {cut} {kept} {revision} {largest} {ids} {current} {others}")
}

pub(super) fn new_epoch() -> Result<Epoch, Fault> {
    Ok(Epoch::from_random(random()?))
}

fn random() -> Result<u128, Fault> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| RedisStoreError::NoRandomness(error.into()))?;
    Ok(u128::from_le_bytes(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repair_is_bounded() {
        let of = |elements| Rebuilt {
            ids: None,
            elements: (0..elements).map(|seq| (seq, vec![0; 1 << 20])).collect(),
            largest: 0,
        };
        assert!(of(255).check().is_ok());
        let error = of(256).check().unwrap_err().to_string();
        assert!(error.contains("268443648") && error.contains("268435456"), "{error}");
    }
}
