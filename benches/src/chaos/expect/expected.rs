//! What every conversation of a file must hold.

use std::collections::BTreeMap;

use memory_core::StoredMessage;
use serde::{Deserialize, Serialize};

use super::ledger::{Due, Ledger};
use super::observed::Observed;
use super::shared::Shared;
use crate::chaos::content::{Content, Contents, Counting, Item};
use crate::chaos::error::{ChaosError, Outcome, ensure};
use crate::chaos::record::{Action, Answer, Appended, Operation, Record};
use crate::chaos::writer::{CONVERSATIONS, SHARED};

/// What the acknowledgements of a file's writers oblige its store to.
#[derive(Debug)]
pub(crate) struct Expected {
    contents: Contents,
    /// The conversations with a single writer.
    ledgers: Vec<Ledger>,
    shared: Shared,
    /// What each writer has begun and has no answer to.
    under_way: BTreeMap<u8, Operation>,
    faults: bool,
    counts: Counts,
}

/// What was seen of writers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Operations that were answered as done.
    pub(crate) acknowledged: u64,
    /// Messages in them that were new.
    pub(crate) messages: u64,
    /// Operations that had no answer when the writers ended.
    pub(crate) unanswered: u64,
    /// Those of them that had happened.
    pub(crate) happened: u64,
    /// Operations that were refused because an id was known with other content.
    pub(crate) conflicts: u64,
    /// Operations that failed, as they may where there are faults.
    pub(crate) failed: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.messages += other.messages;
        self.unanswered += other.unanswered;
        self.happened += other.happened;
        self.conflicts += other.conflicts;
        self.failed += other.failed;
    }
}

/// An append to repeat, because nobody knows whether it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    pub(crate) writer: u8,
    pub(crate) items: Vec<Item>,
}

impl Expected {
    /// Expects nothing yet. `faults` says whether operations may fail.
    pub(crate) fn new(seed: u64, counting: Counting, faults: bool) -> Self {
        Self {
            contents: Contents::new(seed, counting),
            ledgers: vec![Ledger::default(); usize::from(SHARED)],
            shared: Shared::default(),
            under_way: BTreeMap::new(),
            faults,
            counts: Counts::default(),
        }
    }

    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) const fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Takes what a writer says, and checks the answer that it was given.
    pub(crate) fn note(&mut self, record: Record) -> Outcome<()> {
        match record {
            Record::Started | Record::Opened => Ok(()),
            Record::Broken { detail } => Err(ChaosError::violation(detail)),
            Record::Begun { writer, operation } => {
                ensure!(operation.conversation < CONVERSATIONS, "no such conversation");
                let before = self.under_way.insert(writer, operation);
                ensure!(before.is_none(), "writer {writer} does two things at once");
                Ok(())
            }
            Record::Done { writer, answer } => {
                let Some(operation) = self.under_way.remove(&writer) else {
                    return Err(ChaosError::violation(format!("writer {writer} had no question")));
                };
                self.answered(writer, operation, answer)
            }
        }
    }

    fn answered(&mut self, writer: u8, operation: Operation, answer: Answer) -> Outcome<()> {
        self.counts.acknowledged += u64::from(answer.is_acknowledgement());
        self.counts.conflicts += u64::from(answer == Answer::Conflict);
        match answer {
            Answer::Failed { error } => {
                ensure!(self.faults, "{operation} failed: {error}");
                self.counts.failed += 1;
                Ok(())
            }
            Answer::Unknown { error } => {
                ensure!(self.faults, "{operation} has an unknown outcome: {error}");
                self.counts.failed += 1;
                self.under_way.insert(writer, operation);
                Ok(())
            }
            answer if operation.conversation == SHARED => match (&operation.action, &answer) {
                (Action::Append(items), Answer::Appended(appended)) => {
                    self.counts.messages += new(appended);
                    self.shared.acknowledge(items, appended, &self.contents)
                }
                _ => Err(ChaosError::violation(format!("{operation} is answered {answer:?}"))),
            },
            answer => self.acknowledged(&operation, &answer),
        }
    }

    /// Does what was acknowledged to a conversation with a single writer.
    fn acknowledged(&mut self, operation: &Operation, answer: &Answer) -> Outcome<()> {
        let ledger = &mut self.ledgers[usize::from(operation.conversation)];
        let known = ledger.epoch().unwrap_or_default().to_owned();
        let epoch = match answer {
            Answer::Appended(appended) => &appended.epoch,
            _ => &known,
        };
        let due = ledger.apply(&operation.action, epoch, &self.contents)?;
        let right = match (&due, answer) {
            (Due::Appended(places), Answer::Appended(appended)) => {
                self.counts.messages += new(appended);
                let sums = appended.messages == ledger.messages().len() as u64
                    && (appended.pending > 0 || appended.tokens == ledger.tokens());
                *places == appended.places && sums
            }
            (Due::Conflict, Answer::Conflict) => true,
            (Due::Other(due), answer) => due == answer,
            _ => false,
        };
        ensure!(
            right,
            "{operation} is answered {answer:?} instead of {due:?}, with {} messages and {} \
             tokens then",
            ledger.messages().len(),
            ledger.tokens()
        );
        Ok(())
    }

    /// Compares what a store holds after its writers ended. What was under way may have happened
    /// or not, each operation by itself; what did is expected from now on.
    pub(crate) fn resolve(&mut self, observed: &[Observed]) -> Outcome<Vec<Retry>> {
        let under_way = std::mem::take(&mut self.under_way);
        self.counts.unanswered += under_way.len() as u64;
        for observed in observed.iter().filter(|observed| observed.conversation < SHARED) {
            let of = |operation: &&Operation| operation.conversation == observed.conversation;
            self.resolve_alone(under_way.values().find(of), observed)?;
        }
        for observed in observed.iter().filter(|observed| observed.conversation == SHARED) {
            let appends = under_way.values().filter_map(|operation| match operation {
                Operation { conversation: SHARED, action: Action::Append(items) } => {
                    Some(items.as_slice())
                }
                _ => None,
            });
            let before = self.shared.messages().len();
            let epoch = observed.epoch.as_deref();
            let messages = &observed.messages;
            self.shared.resolve(appends.collect(), epoch, messages, &self.contents)?;
            self.counts.happened += u64::from(self.shared.messages().len() > before);
            compare(SHARED, self.shared.messages(), messages).map_err(ChaosError::violation)?;
            same_epoch(observed, self.shared.epoch())?;
        }
        let retries = under_way.into_iter().filter_map(|(writer, operation)| {
            let Action::Append(items) = operation.action else { return None };
            items.iter().all(|item| item.with_id).then_some(Retry { writer, items })
        });
        Ok(retries.collect())
    }

    fn resolve_alone(&mut self, under_way: Option<&Operation>, observed: &Observed) -> Outcome<()> {
        let (number, messages) = (observed.conversation, &observed.messages);
        let ledger = &mut self.ledgers[usize::from(number)];
        let Err(detail) = compare(number, ledger.messages(), messages) else {
            let clears = under_way.is_some_and(|operation| operation.action == Action::Clear);
            if clears && observed.epoch.is_none() && ledger.epoch().is_some() {
                // Nothing was left to remove but the life itself.
                ledger.end_life();
                self.counts.happened += 1;
            }
            return same_epoch(observed, ledger.epoch());
        };
        let Some(operation) = under_way else { return Err(ChaosError::violation(detail)) };
        let mut after = ledger.clone();
        let known = ledger.epoch().or(observed.epoch.as_deref()).unwrap_or_default().to_owned();
        after.apply(&operation.action, &known, &self.contents)?;
        if let Err(other) = compare(number, after.messages(), messages) {
            return Err(ChaosError::violation(format!(
                "{detail}; and if {operation} had happened, which was under way: {other}"
            )));
        }
        self.counts.happened += 1;
        same_epoch(observed, after.epoch())?;
        *ledger = after;
        Ok(())
    }
}

fn new(appended: &Appended) -> u64 {
    appended.places.iter().filter(|(_, new)| *new).count() as u64
}

fn same_epoch(observed: &Observed, expected: Option<&str>) -> Outcome<()> {
    let found = observed.epoch.as_deref();
    ensure!(
        found == expected,
        "conversation {} has epoch {found:?} instead of {expected:?}",
        observed.conversation
    );
    Ok(())
}

/// Compares seqs and messages, one by one.
fn compare<'a>(
    conversation: u8,
    expected: impl ExactSizeIterator<Item = (u64, &'a Content)>,
    observed: &[StoredMessage],
) -> Result<(), String> {
    let place = |seq: u64| format!("seq {seq} of conversation {conversation}");
    let mut found = observed.iter();
    for (seq, content) in expected {
        match found.next() {
            Some(message) if message.seq.get() == seq => {
                if message.payload != content.payload || message.class != content.class {
                    return Err(format!("{} holds another message than due", place(seq)));
                }
            }
            Some(message) => {
                let stands = message.seq.get();
                return Err(format!("{} is due where {stands} stands", place(seq)));
            }
            None => return Err(format!("{} is due and is lost", place(seq))),
        }
    }
    match found.next() {
        Some(message) => Err(format!("{} holds what is not due", place(message.seq.get()))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
