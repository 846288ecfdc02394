//! A conversation with a single writer, from one look at it to the next.

use std::collections::BTreeSet;

use memory_core::StoredMessage;

use super::ledger::Ledger;
use super::observed::Observed;
use crate::chaos::content::{Content, Contents};
use crate::chaos::record::{Action, Operation};

/// What became of a conversation with a single writer.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// When it was looked at.
    pub(super) before: Ledger,
    /// What was acknowledged since then, with the epoch that it had.
    pub(super) since: Vec<(Action, String)>,
    pub(super) now: Ledger,
    /// Where messages stood that were lost.
    pub(super) lost_places: BTreeSet<(String, u64)>,
}

impl Timeline {
    pub(super) fn settle(&mut self, ledger: Ledger) {
        self.since.clear();
        self.before = ledger.clone();
        self.now = ledger;
    }

    pub(super) fn lose(&mut self, ledger: Ledger) {
        let epoch = self.now.epoch().unwrap_or_default().to_owned();
        let kept: BTreeSet<u64> = ledger.messages().map(|(seq, _)| seq).collect();
        let gone = self.now.messages().map(|(seq, _)| seq).filter(|seq| !kept.contains(seq));
        self.lost_places.extend(gone.map(|seq| (epoch.clone(), seq)));
        self.settle(ledger);
    }
}

/// The ledger that agrees with what was observed: this one, or that after the operation that was
/// under way, with whether it happened.
pub(super) fn explains(
    ledger: &Ledger,
    under_way: Option<&Operation>,
    observed: &Observed,
    contents: &Contents,
) -> Result<(Ledger, bool), String> {
    let (number, messages) = (observed.conversation, &observed.messages);
    let Err(detail) = compare(number, ledger.messages(), messages) else {
        let mut ledger = ledger.clone();
        let clears = under_way.is_some_and(|operation| operation.action == Action::Clear);
        // Nothing was left to remove but the life itself.
        let ends = clears && observed.epoch.is_none() && ledger.epoch().is_some();
        if ends {
            ledger.end_life();
        }
        return same_epoch(observed, ledger.epoch()).map(|()| (ledger, ends));
    };
    let Some(operation) = under_way else { return Err(detail) };
    let mut after = ledger.clone();
    let known = ledger.epoch().or(observed.epoch.as_deref()).unwrap_or_default().to_owned();
    let applied =
        after.apply(&operation.action, &known, contents).map_err(|error| error.to_string());
    // What cannot have happened explains nothing; a server may have lost what stands in its way.
    let fits = applied.and_then(|_| compare(number, after.messages(), messages));
    if let Err(other) = fits {
        return Err(format!(
            "{detail}; and if {operation} had happened, which was under way: {other}"
        ));
    }
    same_epoch(observed, after.epoch()).map(|()| (after, true))
}

pub(super) fn same_epoch(observed: &Observed, expected: Option<&str>) -> Result<(), String> {
    let (found, number) = (observed.epoch.as_deref(), observed.conversation);
    let wrong = || format!("conversation {number} has epoch {found:?} instead of {expected:?}");
    (found == expected).then_some(()).ok_or_else(wrong)
}

/// Compares seqs and messages, one by one.
pub(super) fn compare<'a>(
    conversation: u16,
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
