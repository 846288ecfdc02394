//! What every conversation of a file must hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ledger::Due;
use super::observed::Observed;
use super::shared::Shared;
use super::timeline::{Timeline, compare, explains, same_epoch};
use crate::chaos::content::{Contents, Counting, Item};
use crate::chaos::error::{ChaosError, Outcome, ensure};
use crate::chaos::record::{Action, Answer, Appended, Operation, Record};
use crate::chaos::session::SHARED;

/// What the acknowledgements of a file's writers oblige its store to.
#[derive(Debug)]
pub(crate) struct Expected {
    contents: Contents,
    /// The conversations with a single writer.
    ledgers: BTreeMap<u16, Timeline>,
    shared: Shared,
    /// What each writer has begun and has no answer to.
    under_way: BTreeMap<u16, Operation>,
    faults: Faults,
    counts: Counts,
}

/// Which operations may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Faults {
    /// None.
    None,
    /// Every one, with any error.
    Any,
    /// Every one, where the error says that a repeat may help, or that the outcome is not known.
    Passing,
    /// Appends, since the server has no memory for them.
    NoMemory,
}

/// What a store may have lost of what it acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Nothing,
    /// The newest operations since the last look.
    Newest,
    Everything,
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
    /// Operations that were answered as done and were lost, as they may where the server loses.
    pub(crate) lost: u64,
    /// Messages that were given the seq of a lost one in the same epoch.
    pub(crate) seqs_given_again: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.messages += other.messages;
        self.unanswered += other.unanswered;
        self.happened += other.happened;
        self.conflicts += other.conflicts;
        self.failed += other.failed;
        self.lost += other.lost;
        self.seqs_given_again += other.seqs_given_again;
    }
}

/// An append to repeat, because nobody knows whether it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    pub(crate) writer: u16,
    pub(crate) items: Vec<Item>,
}

impl Expected {
    /// Expects nothing yet of these conversations.
    pub(crate) fn new(
        seed: u64,
        counting: Counting,
        faults: Faults,
        conversations: &[u16],
    ) -> Self {
        let own = conversations.iter().filter(|number| **number != SHARED);
        Self {
            contents: Contents::new(seed, counting),
            ledgers: own.map(|number| (*number, Timeline::default())).collect(),
            shared: Shared::default(),
            under_way: BTreeMap::new(),
            faults,
            counts: Counts::default(),
        }
    }

    /// Lets other operations fail from now on.
    pub(crate) const fn let_fail(&mut self, faults: Faults) {
        self.faults = faults;
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
            Record::Started | Record::Opened | Record::Ended => Ok(()),
            Record::Broken { detail } => Err(ChaosError::violation(detail)),
            Record::Begun { writer, operation } => {
                let number = operation.conversation;
                let is_known = number == SHARED || self.ledgers.contains_key(&number);
                ensure!(is_known, "there is no conversation {number}");
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

    fn answered(&mut self, writer: u16, operation: Operation, answer: Answer) -> Outcome<()> {
        self.counts.acknowledged += u64::from(answer.is_acknowledgement());
        self.counts.conflicts += u64::from(answer == Answer::Conflict);
        match answer {
            Answer::Failed { error, retryable } => {
                let may_fail = match self.faults {
                    Faults::None => false,
                    Faults::Any => true,
                    Faults::Passing => retryable,
                    Faults::NoMemory => {
                        matches!(operation.action, Action::Append(_)) && error.contains("OOM")
                    }
                };
                ensure!(may_fail, "{operation} failed (retryable: {retryable}): {error}");
                self.counts.failed += 1;
                Ok(())
            }
            Answer::Unknown { error } => {
                let may_fail = matches!(self.faults, Faults::Any | Faults::Passing);
                ensure!(may_fail, "{operation} has an unknown outcome: {error}");
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
        let Some(timeline) = self.ledgers.get_mut(&operation.conversation) else {
            return Err(ChaosError::violation("an answer for a conversation that is none"));
        };
        let ledger = &mut timeline.now;
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
        if let Answer::Appended(Appended { epoch, places, .. }) = answer {
            let again = |(seq, new): &&(u64, bool)| {
                *new && timeline.lost_places.contains(&(epoch.clone(), *seq))
            };
            self.counts.seqs_given_again += places.iter().filter(again).count() as u64;
        }
        timeline.since.push((operation.action.clone(), epoch.clone()));
        Ok(())
    }

    /// Compares what a store holds after its writers ended. What was under way may have happened
    /// or not, each operation by itself; what did is expected from now on.
    pub(crate) fn resolve(&mut self, observed: &[Observed], lost: Lost) -> Outcome<Vec<Retry>> {
        let under_way = std::mem::take(&mut self.under_way);
        self.counts.unanswered += under_way.len() as u64;
        for observed in observed.iter().filter(|observed| observed.conversation != SHARED) {
            let of = |operation: &&Operation| operation.conversation == observed.conversation;
            self.resolve_alone(under_way.values().find(of), observed, lost)?;
        }
        for observed in observed.iter().filter(|observed| observed.conversation == SHARED) {
            let appends = under_way.values().filter_map(|operation| match operation {
                Operation { conversation: SHARED, action: Action::Append(items) } => {
                    Some(items.as_slice())
                }
                _ => None,
            });
            let epoch = observed.epoch.as_deref();
            let messages = &observed.messages;
            if lost != Lost::Nothing {
                let is_left = lost == Lost::Everything && epoch.is_some();
                ensure!(!is_left, "the shared conversation outlived everything");
                let newest = messages.last().map_or(0, |message| message.seq.get());
                self.counts.lost += self.shared.lose(newest, epoch.is_none());
            }
            let before = self.shared.messages().len();
            self.shared.resolve(appends.collect(), epoch, messages, &self.contents)?;
            self.counts.happened += u64::from(self.shared.messages().len() > before);
            compare(SHARED, self.shared.messages(), messages).map_err(ChaosError::violation)?;
            same_epoch(observed, self.shared.epoch()).map_err(ChaosError::violation)?;
        }
        let retries = under_way.into_iter().filter_map(|(writer, operation)| {
            let Action::Append(items) = operation.action else { return None };
            items.iter().all(|item| item.with_id).then_some(Retry { writer, items })
        });
        Ok(retries.collect())
    }

    fn resolve_alone(
        &mut self,
        under_way: Option<&Operation>,
        observed: &Observed,
        lost: Lost,
    ) -> Outcome<()> {
        let Some(timeline) = self.ledgers.get_mut(&observed.conversation) else {
            return Err(ChaosError::violation("nobody wrote to what was looked at"));
        };
        let detail = match explains(&timeline.now, under_way, observed, &self.contents) {
            Ok((ledger, happened)) => {
                self.counts.happened += u64::from(happened);
                timeline.settle(ledger);
                return Ok(());
            }
            Err(detail) => detail,
        };
        if lost == Lost::Nothing {
            return Err(ChaosError::violation(detail));
        }
        // What a server loses is the end of all that it did.
        let mut ledger = timeline.before.clone();
        let mut found = None;
        if lost == Lost::Everything {
            ledger.end_life();
            found = explains(&ledger, None, observed, &self.contents)
                .ok()
                .map(|(ledger, _)| (0, ledger));
        } else {
            for (kept, (action, epoch)) in timeline.since.iter().enumerate() {
                if let Ok((ledger, _)) = explains(&ledger, None, observed, &self.contents) {
                    found = Some((kept, ledger));
                }
                ledger.apply(action, epoch, &self.contents)?;
            }
        }
        let Some((kept, mut ledger)) = found else {
            return Err(ChaosError::violation(format!(
                "{detail}; nor was it so at any time before"
            )));
        };
        self.counts.lost += (timeline.since.len() - kept) as u64;
        ledger.know_epochs_of(&timeline.now);
        timeline.lose(ledger);
        Ok(())
    }
}

fn new(appended: &Appended) -> u64 {
    appended.places.iter().filter(|(_, new)| *new).count() as u64
}

#[cfg(test)]
mod tests;
