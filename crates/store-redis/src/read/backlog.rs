//! Conversations in the indexes of what waits.

use cache_redis::connection::{Value, cmd};
use memory_core::{Backlog, ConversationKey};

use super::totals::sums;
use crate::answer::texts;
use crate::error::Fault;
use crate::inner::Inner;
use crate::keys::Name;
use crate::state::{self, State, Sums};

const WHAT: &str = "an index";

/// Members of an index that are read at a time.
const PAGE: usize = 128;

/// The letter of an index's key.
const fn letter(backlog: Backlog) -> u8 {
    match backlog {
        Backlog::Pending => b'x',
        Backlog::Fallback => b'y',
    }
}

/// The letter of a backlog's sum, as scripts take it.
pub(super) const fn sum_letter(backlog: Backlog) -> &'static str {
    match backlog {
        Backlog::Pending => "q",
        Backlog::Fallback => "b",
    }
}

/// A walk over the indexes of a backlog, all tags side by side.
pub(super) struct Indexes {
    /// Those that have more, and how far each was read.
    open: Vec<Vec<u8>>,
    read: usize,
    /// Only what is due at this moment.
    due: Option<u64>,
}

impl Indexes {
    pub(super) fn new(inner: &Inner, backlog: Backlog, due: Option<u64>) -> Self {
        Self { open: inner.prefix.indexes(letter(backlog)).collect(), read: 0, due }
    }

    /// The next conversations; none where there are no more.
    pub(super) async fn next(
        &mut self,
        inner: &Inner,
    ) -> Result<Option<Vec<ConversationKey>>, Fault> {
        if self.open.is_empty() {
            return Ok(None);
        }
        let end = self.due.map_or_else(|| "+inf".to_owned(), |due| due.to_string());
        let read = |index: &Vec<u8>| {
            let mut command = cmd("ZRANGE");
            command.arg(index.as_slice()).arg("-inf").arg(&end).arg("BYSCORE");
            command.arg("LIMIT").arg(self.read).arg(PAGE);
            command
        };
        let answers = inner.client.scattered(self.open.iter().map(read).collect()).await?;
        let mut found = Vec::new();
        let mut open = Vec::new();
        for (index, answer) in std::mem::take(&mut self.open).into_iter().zip(answers) {
            // An index of another type is damaged; the others are still of use.
            let Ok(names) = texts(answer, WHAT) else { continue };
            if names.len() == PAGE {
                open.push(index);
            }
            found.extend(names.iter().filter_map(|name| Name::parse(name)));
        }
        self.open = open;
        self.read += PAGE;
        Ok(Some(found))
    }
}

/// The states of conversations, without those that are gone or damaged.
pub(super) async fn states(
    inner: &Inner,
    keys: &[ConversationKey],
) -> Result<Vec<(ConversationKey, State)>, Fault> {
    let read = |key| state::read(inner.prefix.keys(key).meta(), None);
    let answers = inner.client.scattered(keys.iter().map(read).collect()).await?;
    let states = keys.iter().zip(answers).filter_map(|(key, answer)| match answer {
        Value::Array(values) => Some((key.clone(), State::decode(values).ok()??)),
        _ => None,
    });
    Ok(states.collect())
}

/// The same with the sums under each one's current counter.
pub(super) async fn states_with_sums(
    inner: &Inner,
    keys: &[ConversationKey],
) -> Result<Vec<(ConversationKey, State)>, Fault> {
    let mut states = states(inner, keys).await?;
    let read = |(key, state): &(ConversationKey, State)| {
        sums(inner.prefix.keys(key).meta(), state.current)
    };
    let answers = inner.client.scattered(states.iter().map(read).collect()).await?;
    for ((_, state), answer) in states.iter_mut().zip(answers) {
        if let Value::Array(values) = answer {
            state.sums = Sums::decode(&values)?;
        }
    }
    Ok(states)
}
