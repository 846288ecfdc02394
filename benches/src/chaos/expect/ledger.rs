//! A conversation that one writer writes: what its operations make of it, one after the other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use memory_core::MessageClass;

use crate::chaos::content::{Content, Contents, Item};
use crate::chaos::error::{Outcome, ensure};
use crate::chaos::record::{Action, Answer};

/// One life of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Life {
    epoch: String,
    next: u64,
    /// The oldest seq behind the head, once a trim has removed something.
    trimmed: Option<u64>,
    messages: BTreeMap<u64, Content>,
    tokens: u64,
    /// For each known id its seq, and whether its content was the altered one.
    ids: HashMap<u64, (u64, bool)>,
}

/// A conversation with a single writer.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    life: Option<Life>,
    /// Every epoch that was seen.
    epochs: BTreeSet<String>,
}

/// What an operation must be answered; epoch and sums of an append stand apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Appended(Vec<(u64, bool)>),
    Conflict,
    Other(Answer),
}

impl Ledger {
    /// The retained messages, oldest first.
    pub(super) fn messages(&self) -> impl ExactSizeIterator<Item = (u64, &Content)> {
        static NONE: BTreeMap<u64, Content> = BTreeMap::new();
        let messages = self.life.as_ref().map_or(&NONE, |life| &life.messages);
        messages.iter().map(|(seq, content)| (*seq, content))
    }

    pub(super) fn tokens(&self) -> u64 {
        self.life.as_ref().map_or(0, |life| life.tokens)
    }

    pub(super) fn epoch(&self) -> Option<&str> {
        self.life.as_ref().map(|life| life.epoch.as_str())
    }

    /// Forgets the life, with what is left of it.
    pub(super) fn end_life(&mut self) {
        self.life = None;
    }

    /// Knows the lives of another past of the conversation, too.
    pub(super) fn know_epochs_of(&mut self, other: &Self) {
        self.epochs.extend(other.epochs.iter().cloned());
    }

    /// Does an operation. `epoch` is the one that an append has, or would begin.
    pub(super) fn apply(
        &mut self,
        action: &Action,
        epoch: &str,
        contents: &Contents,
    ) -> Outcome<Due> {
        match action {
            Action::Append(items) => self.append(items, epoch, contents),
            Action::DropNewest(count) => {
                let (removed, next) =
                    self.life.as_mut().map_or((0, 1), |life| life.drop_newest(*count));
                Ok(Due::Other(Answer::Dropped { removed, next }))
            }
            Action::Clear => {
                let removed = self.messages().len() as u64;
                self.end_life();
                Ok(Due::Other(Answer::Cleared { removed }))
            }
            Action::Trim { epoch, before } => {
                let (removed, first) =
                    self.life.as_mut().map_or((0, 1), |life| life.trim(epoch, *before));
                Ok(Due::Other(Answer::Trimmed { removed, first }))
            }
        }
    }

    fn append(&mut self, items: &[Item], epoch: &str, contents: &Contents) -> Outcome<Due> {
        if let Some(life) = &self.life {
            ensure!(
                life.epoch == epoch,
                "the append has epoch {epoch} in a conversation whose life is {}",
                life.epoch
            );
        } else {
            ensure!(
                !self.epochs.contains(epoch),
                "epoch {epoch} is given to a second life of the conversation"
            );
        }
        let is_new = self.life.is_none();
        let begin = || Life { epoch: epoch.to_owned(), next: 1, ..Life::default() };
        let mut life = self.life.take().unwrap_or_else(begin);
        let due = if life.conflicts(items) {
            Due::Conflict
        } else {
            let places: Outcome<_> =
                items.iter().map(|item| life.append(*item, contents)).collect();
            self.epochs.insert(epoch.to_owned());
            Due::Appended(places?)
        };
        // A refused append begins no life.
        self.life = (!is_new || due != Due::Conflict).then_some(life);
        Ok(due)
    }
}

impl Life {
    /// Whether an id is known with other content, or comes twice with two contents.
    fn conflicts(&self, items: &[Item]) -> bool {
        let mut seen = HashMap::new();
        items.iter().filter(|item| item.with_id).any(|item| {
            let first = *seen.entry(item.serial).or_insert(item.altered);
            self.ids.get(&item.serial).map_or(first, |(_, altered)| *altered) != item.altered
        })
    }

    /// The message's seq, and whether it is new.
    fn append(&mut self, item: Item, contents: &Contents) -> Outcome<(u64, bool)> {
        if item.with_id
            && let Some((seq, _)) = self.ids.get(&item.serial)
        {
            return Ok((*seq, false));
        }
        let seq = self.next;
        self.next += 1;
        if item.with_id {
            self.ids.insert(item.serial, (seq, item.altered));
        }
        let content = contents.content(item)?;
        self.tokens += content.tokens;
        self.messages.insert(seq, content);
        Ok((seq, true))
    }

    fn drop_newest(&mut self, count: u64) -> (u64, u64) {
        let mut removed = 0;
        while removed < count
            && let Some((seq, content)) = self.messages.pop_last()
        {
            self.tokens -= content.tokens;
            self.ids.retain(|_, (known, _)| *known != seq);
            // Seqs that a trim has passed are never given back.
            self.next = seq.max(self.trimmed.unwrap_or(1));
            removed += 1;
        }
        (removed, self.next)
    }

    fn trim(&mut self, epoch: &str, before: u64) -> (u64, u64) {
        let (first, cut) = (self.first(), self.cut(before));
        if self.epoch != epoch || cut <= first {
            return (0, first);
        }
        let gone: Vec<u64> = self.messages.range(first..cut).map(|(seq, _)| *seq).collect();
        for seq in &gone {
            self.tokens -= self.messages.remove(seq).map_or(0, |content| content.tokens);
        }
        self.trimmed = Some(cut);
        (gone.len() as u64, cut)
    }

    /// The oldest seq behind the head, or the next one.
    fn first(&self) -> u64 {
        self.trimmed.unwrap_or_else(|| {
            let behind =
                self.messages.iter().find(|(_, found)| found.class != MessageClass::Instruction);
            behind.map_or(self.next, |(seq, _)| *seq)
        })
    }

    /// Where a cut falls so that it splits no group.
    fn cut(&self, before: u64) -> u64 {
        let before = before.min(self.next);
        let boundary = |(_, content): &(&u64, &Content)| content.class.is_boundary();
        let mut cut_off = self.messages.range(before..).take_while(|entry| !boundary(entry));
        let splits = cut_off.any(|(_, content)| content.class == MessageClass::Result);
        match self.messages.range(..before).rev().find(boundary) {
            Some((seq, content)) if splits && content.class == MessageClass::Call => *seq,
            _ => before,
        }
    }
}
