//! A conversation that several writers append to at the same time.
//!
//! Their order is the store's choice until it acknowledges: from then on it must stay.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use memory_core::StoredMessage;

use crate::chaos::content::{Content, Contents, Item};
use crate::chaos::error::{Outcome, ensure};
use crate::chaos::record::Appended;

/// A conversation that is only appended to, by several writers.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    epoch: Option<String>,
    /// Lives that were lost.
    former: BTreeSet<String>,
    messages: BTreeMap<u64, Content>,
    /// The seq of each message with an id.
    ids: HashMap<u64, u64>,
}

impl Shared {
    pub(super) fn messages(&self) -> impl ExactSizeIterator<Item = (u64, &Content)> {
        self.messages.iter().map(|(seq, content)| (*seq, content))
    }

    pub(super) fn epoch(&self) -> Option<&str> {
        self.epoch.as_deref()
    }

    /// Takes an acknowledgement.
    pub(super) fn acknowledge(
        &mut self,
        items: &[Item],
        appended: &Appended,
        contents: &Contents,
    ) -> Outcome<()> {
        ensure!(
            !self.former.contains(&appended.epoch),
            "an append has epoch {}, whose life was lost",
            appended.epoch
        );
        let epoch = self.epoch.get_or_insert_with(|| appended.epoch.clone());
        ensure!(
            *epoch == appended.epoch,
            "an append has epoch {} in a conversation whose life is {epoch}",
            appended.epoch
        );
        ensure!(
            items.len() == appended.places.len(),
            "{} messages have {} receipts",
            items.len(),
            appended.places.len()
        );
        let mut before = None;
        for (item, (seq, new)) in items.iter().zip(&appended.places) {
            let known = self.ids.get(&item.serial).filter(|_| item.with_id);
            ensure!(
                known.is_none_or(|known| known == seq && !new),
                "a repeated id has seq {seq} (new: {new}), but its message stands at {known:?}"
            );
            if !new {
                ensure!(known.is_some(), "an id that nobody used is said to be known at {seq}");
                continue;
            }
            ensure!(
                before.is_none_or(|before| before + 1 == *seq),
                "a batch has seqs {before:?} and {seq} one after the other"
            );
            before = Some(*seq);
            self.insert(*seq, *item, contents.content(*item)?)?;
        }
        ensure!(
            before.is_none_or(|newest| newest <= appended.messages),
            "an append that reached seq {before:?} has {} messages in its totals",
            appended.messages
        );
        Ok(())
    }

    fn insert(&mut self, seq: u64, item: Item, content: Content) -> Outcome<()> {
        ensure!(self.messages.insert(seq, content).is_none(), "seq {seq} was given twice");
        if item.with_id {
            self.ids.insert(item.serial, seq);
        }
        Ok(())
    }

    /// Forgets what is behind a seq, or everything with the life, and says how much that is.
    pub(super) fn lose(&mut self, newest: u64, ends: bool) -> u64 {
        if ends {
            self.former.extend(self.epoch.take());
        }
        let lost = self.messages.split_off(&if ends { 0 } else { newest + 1 });
        self.ids.retain(|_, seq| !lost.contains_key(seq));
        lost.len() as u64
    }

    /// Finds out which of the appends that were under way happened: each wholly or not at all.
    pub(super) fn resolve(
        &mut self,
        mut under_way: Vec<&[Item]>,
        epoch: Option<&str>,
        observed: &[StoredMessage],
        contents: &Contents,
    ) -> Outcome<()> {
        if self.epoch.is_none() {
            self.epoch = epoch.map(str::to_owned);
        }
        let mut place = 0;
        while let Some(message) = observed.get(place) {
            let seq = message.seq.get();
            if self.messages.contains_key(&seq) {
                place += 1;
                continue;
            }
            let mut found = None;
            for (index, items) in under_way.iter().enumerate() {
                if self.stands_at(items, &observed[place..], contents)? {
                    found = Some(index);
                    break;
                }
            }
            let Some(index) = found else {
                let place = format!("seq {seq} of the shared conversation");
                ensure!(false, "{place} holds what was not wholly appended there, or was refused");
                break;
            };
            let items: Vec<Item> = self.unknown(under_way.remove(index));
            for (item, message) in items.iter().zip(&observed[place..]) {
                self.insert(message.seq.get(), *item, contents.content(*item)?)?;
            }
            place += items.len();
        }
        Ok(())
    }

    /// Those of a batch that are no repeats.
    fn unknown(&self, items: &[Item]) -> Vec<Item> {
        let is_known = |item: &Item| item.with_id && self.ids.contains_key(&item.serial);
        items.iter().copied().filter(|item| !is_known(item)).collect()
    }

    fn stands_at(
        &self,
        items: &[Item],
        observed: &[StoredMessage],
        contents: &Contents,
    ) -> Outcome<bool> {
        let items = self.unknown(items);
        if items.is_empty() || observed.len() < items.len() {
            return Ok(false);
        }
        let first = observed[0].seq.get();
        for ((item, message), seq) in items.iter().zip(observed).zip(first..) {
            if message.seq.get() != seq || contents.content(*item)?.payload != message.payload {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
