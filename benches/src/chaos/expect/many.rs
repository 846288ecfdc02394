//! One conversation of a crowd.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::observed::Observed;
use crate::chaos::content::{Contents, Item};
use crate::chaos::error::{ChaosError, Outcome, ensure};
use crate::chaos::record::Appended;

/// One conversation.
#[derive(Debug, Default)]
pub(super) struct Many {
    lives: BTreeMap<String, Life>,
    pub(super) attempts: HashMap<Arc<str>, Attempt>,
    /// Whether somebody began to trim it.
    pub(super) is_trimmed: bool,
    added: u64,
    pub(super) removed: u64,
    pub(super) clears: u64,
    /// For each writer the epochs of lives that had ended before it went on.
    pub(super) ended: BTreeMap<u16, BTreeSet<String>>,
    /// For each writer where its newest message went.
    pub(super) newest: BTreeMap<u16, (String, u64)>,
}

/// One life of it.
#[derive(Debug, Default)]
struct Life {
    /// The messages that were acknowledged at each seq. Where nothing is lost it is one.
    places: BTreeMap<u64, Vec<Arc<str>>>,
    /// What answers to repeated ids said of where they stand.
    repeated: HashSet<(Arc<str>, u64)>,
}

/// What was tried with a message.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    pub(super) item: Item,
    /// Whether an append of it has ended without a word on whether it happened.
    pub(super) is_unknown: bool,
}

/// What an acknowledgement told.
#[derive(Debug, Default)]
pub(super) struct Added {
    pub(super) messages: u64,
    pub(super) given_again: u64,
    /// What must not be where nothing is lost.
    pub(super) wrong: Vec<&'static str>,
}

impl Added {
    pub(super) const fn is_right(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl Many {
    pub(super) fn appended(
        &mut self,
        writer: u16,
        items: &[Item],
        appended: &Appended,
        contents: &Contents,
    ) -> Outcome<Added> {
        let Appended { epoch, places, .. } = appended;
        ensure!(
            items.len() == places.len(),
            "{} messages have {} receipts",
            items.len(),
            places.len()
        );
        let mut added = Added::default();
        if self.ended.get(&writer).is_some_and(|ended| ended.contains(epoch)) {
            added.wrong.push("the life was ended by a clear before");
        }
        let life = self.lives.entry(epoch.clone()).or_default();
        let mut before = None;
        for (item, (seq, new)) in items.iter().zip(places) {
            let (payload, _) = contents.stored(*item);
            if !new {
                ensure!(item.with_id, "a message without an id is said to be known at {seq}");
                life.repeated.insert((payload, *seq));
                continue;
            }
            ensure!(
                before.is_none_or(|before| before + 1 == *seq),
                "a batch has seqs {before:?} and {seq} one after the other"
            );
            before = Some(*seq);
            added.messages += 1;
            let here = life.places.entry(*seq).or_default();
            if !here.is_empty() {
                added.given_again += 1;
                added.wrong.push("the seq was given before");
            }
            here.push(payload);
        }
        self.added += added.messages;
        if let Some(last) = before {
            let first = last + 1 - added.messages;
            let former = self.newest.insert(writer, (epoch.clone(), last));
            if former.is_some_and(|(former, seq)| former == *epoch && seq >= first) {
                added.wrong.push("the writer's former append is behind it");
            }
        }
        Ok(added)
    }

    /// How many messages of unknown outcome are there, and how many acknowledged ones are not.
    pub(super) fn finish(
        &self,
        observed: &Observed,
        may_lose: bool,
        contents: &Contents,
    ) -> Outcome<(u64, u64)> {
        let number = observed.conversation;
        let nothing = Life::default();
        let epoch = observed.epoch.as_deref();
        let life = epoch.and_then(|epoch| self.lives.get(epoch)).unwrap_or(&nothing);
        let (mut seen, mut happened) = (BTreeSet::new(), 0);
        for message in &observed.messages {
            let (seq, payload) = (message.seq.get(), &message.payload);
            let place = || format!("seq {seq} of conversation {number}");
            let Some(attempt) = self.attempts.get(payload) else {
                let detail = format!("{} holds what nobody appended there", place());
                return Err(ChaosError::violation(detail));
            };
            ensure!(seen.insert(Arc::clone(payload)), "{} holds a message again", place());
            ensure!(
                message.class == contents.stored(attempt.item).1,
                "{} has a message of another class than due",
                place()
            );
            // An append that was repeated after its answer was lost is told as known where it was
            // trimmed meanwhile, and a fail-over may take back that trim.
            let may_be_known = may_lose && self.is_trimmed;
            let is_acknowledged = life.places.get(&seq).is_some_and(|here| here.contains(payload))
                || (may_be_known && life.repeated.contains(&(Arc::clone(payload), seq)));
            ensure!(
                is_acknowledged || attempt.is_unknown,
                "{} holds a message that was not acknowledged there",
                place()
            );
            happened += u64::from(!is_acknowledged);
        }
        let stands = |seq: u64| {
            let found = observed.messages.binary_search_by_key(&seq, |message| message.seq.get());
            found.ok().map(|place| &observed.messages[place].payload)
        };
        let mut lost = 0;
        for (seq, here) in &life.places {
            if *seq >= observed.first {
                let missing = here.iter().filter(|payload| stands(*seq) != Some(payload)).count();
                lost += missing as u64;
            }
        }
        if self.clears == 0 {
            let others = self.lives.iter().filter(|(other, _)| Some(other.as_str()) != epoch);
            let messages = others.flat_map(|(_, life)| life.places.values());
            lost += messages.map(|here| here.len() as u64).sum::<u64>();
        }
        if may_lose {
            return Ok((happened, lost));
        }
        ensure!(lost == 0, "conversation {number} has lost {lost} acknowledged messages");
        self.check_numbers(observed)?;
        self.check_repeated()?;
        Ok((happened, lost))
    }

    /// What was added and not removed is there.
    fn check_numbers(&self, observed: &Observed) -> Outcome<()> {
        let (number, retained) = (observed.conversation, observed.messages.len() as u64);
        let Self { added, removed, clears, .. } = self;
        ensure!(
            *added == removed + retained,
            "conversation {number} has {retained} messages; {added} were added and {removed} removed"
        );
        ensure!(
            self.lives.len() as u64 <= clears + 1,
            "conversation {number} had {} lives and was cleared {clears} times",
            self.lives.len()
        );
        Ok(())
    }

    /// Each id stood for one message in each life.
    fn check_repeated(&self) -> Outcome<()> {
        for life in self.lives.values() {
            let mut places: HashMap<&Arc<str>, u64> = HashMap::new();
            for (seq, here) in &life.places {
                for payload in here {
                    let other = places.insert(payload, *seq);
                    ensure!(other.is_none(), "a message stands at {seq} and at {other:?}");
                }
            }
            for (payload, seq) in &life.repeated {
                let due = places.get(payload);
                ensure!(due == Some(seq), "a repeated id has seq {seq} instead of {due:?}");
            }
        }
        Ok(())
    }
}
