//! Making a conversation's numbers say what its messages say.

use memory_core::{ConversationKey, Epoch, RepairReport};

use super::lives::clear;
use super::prepared::check_key;
use crate::answer::count;
use crate::error::{Fault, RedisStoreError};
use crate::examined::{Examined, examine};
use crate::inner::Inner;
use crate::read::differences;
use crate::scripts::MEND;
use crate::state::{State, Sums, field};

/// How often it begins again because the conversation was changed meanwhile.
const ATTEMPTS: usize = 20;

/// As [`MemoryStore::repair`](memory_core::MemoryStore::repair) that mends.
///
/// Messages that lack their payload or their tallies are lost; what is newer than all of these
/// stays.
pub(crate) async fn mend(inner: &Inner, key: &ConversationKey) -> Result<RepairReport, Fault> {
    check_key(key, &inner.limits)?;
    let keys = inner.prefix.keys(key);
    inner.known.forget(&keys.name);
    for _ in 0..ATTEMPTS {
        let Some(examined) = examine(inner, &keys).await? else {
            return Ok(RepairReport::default());
        };
        let differences = differences(inner, &examined).await?;
        if differences.is_empty() {
            return Ok(RepairReport::default());
        }
        let Some(right) = examined.right(new_epoch()?) else {
            // No counter and no message is left to tell of.
            clear(inner, key).await?;
            return Ok(RepairReport { differences, mended: true });
        };
        let found =
            |name: &str| examined.fields.get(name.as_bytes()).map_or(&[][..], Vec::as_slice);
        let length = |length: Option<u64>| {
            length.map_or_else(|| "-1".to_owned(), |length| length.to_string())
        };
        let answer = inner.client.script(&MEND, &keys, |command| {
            command.arg(keys.name.bytes()).arg(found("e")).arg(found("s")).arg(found("a"));
            command.arg(length(examined.lengths[0])).arg(length(examined.lengths[1]));
            command.arg(format!("{}{}", right.epoch, right.counters[0].as_str()));
            command.arg(right.last).arg(administration(&right));
            command.arg(examined.last + 1 - examined.first);
            for (name, sum) in sums(&examined) {
                command.arg(name).arg(sum);
            }
        });
        if count(&answer.await?, "a repair")? == 1 {
            return Ok(RepairReport { differences, mended: true });
        }
    }
    Err(RedisStoreError::Busy.into())
}

fn sums(examined: &Examined) -> impl Iterator<Item = (String, u64)> {
    examined.sums.iter().flat_map(|(code, sums)| {
        let fields = Sums::FIELDS.map(|letter| field(letter, *code));
        fields.into_iter().zip(sums.values())
    })
}

/// The field `a` of a state.
fn administration(state: &State) -> String {
    let [first, others @ ..] = state.counters.as_slice() else { return String::new() };
    let current = if state.current == *first { "-" } else { state.current.as_str() };
    let others: String = others.iter().map(crate::element::Code::as_str).collect();
    let others = if others.is_empty() { "-" } else { &others };
    let State { physical, cut, kept, revision, largest, .. } = state;
    let cut = cut.unwrap_or(0);
    format!("{physical} {cut} {kept} {revision} {largest} {current} {others}")
}

fn new_epoch() -> Result<Epoch, Fault> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|error| RedisStoreError::NoRandomness(error.into()))?;
    Ok(Epoch::from_random(u128::from_le_bytes(bits)))
}
