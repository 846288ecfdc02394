//! Conversations that many writers come to, with everything that can be done to them.
//!
//! Nobody knows the order of what is done at the same time, and a fail-over may take back what was
//! acknowledged. What holds in spite of that is checked: who is where, in which order, how many.

use std::collections::BTreeMap;

use serde::Serialize;

use super::many::{Attempt, Many};
use super::observed::Observed;
use crate::chaos::content::{Contents, Counting};
use crate::chaos::error::{ChaosError, Outcome, ensure};
use crate::chaos::record::{Action, Answer, Operation, Record};

/// What the acknowledgements of a crowd oblige a store to.
#[derive(Debug)]
pub(crate) struct Crowd {
    contents: Contents,
    may_lose: bool,
    conversations: BTreeMap<u16, Many>,
    under_way: BTreeMap<u16, Operation>,
    counts: CrowdCounts,
}

/// What was seen of a crowd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CrowdCounts {
    /// Operations that were answered as done.
    pub(crate) acknowledged: u64,
    /// Messages in them that were new.
    pub(crate) messages: u64,
    /// Operations that failed, and said that nothing was written.
    pub(crate) failed: u64,
    /// Operations whose outcome was not known.
    pub(crate) unknown: u64,
    /// Messages of those that are there.
    pub(crate) happened: u64,
    /// Acknowledged messages that are lost, in conversations that are only appended to.
    pub(crate) lost: u64,
    /// Seqs that were given to two messages in one epoch.
    pub(crate) seqs_given_again: u64,
    /// Lives that were ended by a clear.
    pub(crate) clears: u64,
    /// Messages that were removed by trims and clears.
    pub(crate) removed: u64,
}

impl CrowdCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.messages += other.messages;
        self.failed += other.failed;
        self.unknown += other.unknown;
        self.happened += other.happened;
        self.lost += other.lost;
        self.seqs_given_again += other.seqs_given_again;
        self.clears += other.clears;
        self.removed += other.removed;
    }
}

impl Crowd {
    /// Expects nothing yet. `may_lose` says whether what was acknowledged may be lost.
    pub(crate) fn new(seed: u64, counting: Counting, may_lose: bool) -> Self {
        Self {
            contents: Contents::new(seed, counting),
            may_lose,
            conversations: BTreeMap::new(),
            under_way: BTreeMap::new(),
            counts: CrowdCounts::default(),
        }
    }

    pub(crate) const fn counts(&self) -> CrowdCounts {
        self.counts
    }

    pub(crate) const fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Takes what a writer says, and checks the answer that it was given.
    pub(crate) fn note(&mut self, record: Record) -> Outcome<()> {
        match record {
            Record::Started | Record::Opened | Record::Ended => Ok(()),
            Record::Broken { detail } => Err(ChaosError::violation(detail)),
            Record::Begun { writer, operation } => {
                let many = self.conversations.entry(operation.conversation).or_default();
                many.is_trimmed |= matches!(operation.action, Action::Trim { .. });
                if let Action::Append(items) = &operation.action {
                    for item in items {
                        let (payload, _) = self.contents.stored(*item);
                        let begin = || Attempt { item: *item, is_unknown: false };
                        many.attempts.entry(payload).or_insert_with(begin);
                    }
                }
                let before = self.under_way.insert(writer, operation);
                ensure!(before.is_none(), "writer {writer} does two things at once");
                Ok(())
            }
            Record::Done { writer, answer } => {
                let Some(operation) = self.under_way.remove(&writer) else {
                    return Err(ChaosError::violation(format!("writer {writer} had no question")));
                };
                self.answered(writer, &operation, answer)
            }
        }
    }

    fn answered(&mut self, writer: u16, operation: &Operation, answer: Answer) -> Outcome<()> {
        let many = self.conversations.entry(operation.conversation).or_default();
        if let (Action::Append(items), Answer::Unknown { .. }) = (&operation.action, &answer) {
            for item in items {
                let (payload, _) = self.contents.stored(*item);
                if let Some(attempt) = many.attempts.get_mut(&payload) {
                    attempt.is_unknown = true;
                }
            }
        }
        self.counts.acknowledged += u64::from(answer.is_acknowledgement());
        match (&operation.action, answer) {
            (_, Answer::Unknown { error }) => {
                ensure!(self.may_lose, "{operation} has an unknown outcome: {error}");
                self.counts.unknown += 1;
                Ok(())
            }
            (_, Answer::Failed { error, retryable }) => {
                let may_fail = self.may_lose && retryable;
                ensure!(may_fail, "{operation} failed (retryable: {retryable}): {error}");
                self.counts.failed += 1;
                Ok(())
            }
            (Action::Append(items), Answer::Appended(appended)) => {
                let added = many.appended(writer, items, &appended, &self.contents)?;
                self.counts.messages += added.messages;
                self.counts.seqs_given_again += added.given_again;
                ensure!(
                    self.may_lose || added.is_right(),
                    "{operation} is answered {appended:?}: {}",
                    added.wrong.join(", ")
                );
                Ok(())
            }
            (Action::Trim { .. }, Answer::Trimmed { removed, .. }) => {
                many.removed += removed;
                self.counts.removed += removed;
                Ok(())
            }
            (Action::Clear, Answer::Cleared { removed }) => {
                many.removed += removed;
                many.clears += 1;
                self.counts.removed += removed;
                self.counts.clears += 1;
                let newest = many.newest.remove(&writer).map(|(epoch, _)| epoch);
                many.ended.entry(writer).or_default().extend(newest);
                Ok(())
            }
            (_, answer) => {
                Err(ChaosError::violation(format!("{operation} is answered {answer:?}")))
            }
        }
    }

    /// Compares what a store holds when its writers are gone.
    pub(crate) fn finish(&mut self, observed: &[Observed]) -> Outcome<()> {
        ensure!(self.under_way.is_empty(), "a writer ended without an answer");
        for observed in observed {
            if let Some(many) = self.conversations.get(&observed.conversation) {
                let (happened, lost) = many.finish(observed, self.may_lose, &self.contents)?;
                self.counts.happened += happened;
                self.counts.lost += lost;
            } else {
                let detail = "a conversation holds what nobody appended";
                ensure!(observed.messages.is_empty(), "{detail}");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
