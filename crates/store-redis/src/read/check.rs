//! Comparing a conversation's stored numbers with its messages.

use memory_core::{ConversationKey, Difference};

use crate::error::Fault;
use crate::examined::{Examined, examine};
use crate::inner::Inner;
use crate::state::{State, Sums};
use crate::write::check_key;

/// What each sum is called.
const NAMES: [&str; 4] = ["tokens of", "messages tallied by", "estimates for", "fallbacks for"];

/// What is stored otherwise than the messages say.
pub(crate) async fn check(inner: &Inner, key: &ConversationKey) -> Result<Vec<Difference>, Fault> {
    check_key(key, &inner.limits)?;
    match examine(inner, &inner.prefix.keys(key)).await? {
        Some(examined) => differences(inner, &examined).await,
        None => Ok(Vec::new()),
    }
}

pub(crate) async fn differences(
    inner: &Inner,
    examined: &Examined,
) -> Result<Vec<Difference>, Fault> {
    let mut found = Vec::new();
    let mut compare = |what: String, stored: u64, actual: u64| {
        if stored != actual {
            found.push(Difference { what, stored, actual });
        }
    };
    for (name, length) in ["tallies", "payloads"].into_iter().zip(examined.lengths) {
        compare(format!("lists of {name} that are lists"), length.is_some().into(), 1);
    }
    compare("hashes of callers' ids that are hashes".to_owned(), examined.ids.is_some().into(), 1);
    let Some(state) = &examined.state else {
        compare("numbers that can be read".to_owned(), 0, 1);
        return Ok(found);
    };
    compare("messages".to_owned(), state.messages(), examined.messages());
    compare("last seq".to_owned(), state.last, examined.last);
    for (name, length) in ["tallies", "payloads"].into_iter().zip(examined.lengths) {
        compare(format!("elements of the list of {name}"), state.length(), length.unwrap_or(0));
    }
    let missing = examined.missing.len() as u64;
    compare(
        "messages whose tallies can be read".to_owned(),
        examined.messages() - missing,
        examined.messages(),
    );
    compare("callers' ids".to_owned(), state.ids, examined.ids.unwrap_or(0));
    let mut codes = state.counters.clone();
    codes.extend(examined.sums.iter().map(|(code, _)| *code));
    codes.sort_unstable_by_key(|code| code.as_str().to_owned());
    codes.dedup();
    let ids = inner.counters.ids(&inner.client, &codes).await?;
    for (code, id) in codes.iter().zip(ids) {
        let actual = examined.sums_of(*code).values();
        for ((letter, name), actual) in Sums::FIELDS.into_iter().zip(NAMES).zip(actual) {
            compare(format!("{name} {id}"), examined.stored(letter, *code), actual);
        }
    }
    for (index, right) in right_indexes(state, examined).into_iter().enumerate() {
        let name = ["pendings", "fallbacks"][index];
        // A conversation that an index names without need is taken out by the next sweep.
        let is_right = examined.indexed[index] || !right;
        compare(format!("entries in the index of {name} that are right"), is_right.into(), 1);
    }
    Ok(found)
}

/// Whether the indexes must name the conversation.
fn right_indexes(state: &State, examined: &Examined) -> [bool; 2] {
    let sums = examined.sums_of(state.current);
    let waiting = examined.messages().saturating_sub(sums.tallied) + sums.estimated;
    [waiting > 0, sums.fallback > 0]
}
