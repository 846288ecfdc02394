//! The numbers of a conversation, as its hash holds them.
//!
//! | field | meaning |
//! |---|---|
//! | `e` | the epoch, and the code of the counter that the life began with |
//! | `s` | the last seq |
//! | `n` `k` `q` `b`, each with a code | tokens, tallied messages, estimates, fallbacks' counts |
//! | `a` | what only scripts change, in one text: see below |
//! | `H` | the stored head |
//!
//! `a` holds, with blanks between: the seq of the lists' first element; the oldest seq behind the
//! head once something was trimmed, else 0; messages of the stored head; a number that every change
//! of stored messages raises, appends excepted; a power of two that no payload is larger than, or 0
//! where that is not known; how many callers' ids there are; the current counter's code where that
//! is not the first; the codes of all counters but the first, one behind the other. `-` stands for
//! none.

use cache_redis::connection::{Cmd, Value};
use memory_core::{Epoch, Seq, Tally, Totals};

use crate::answer::{bytes, number};
use crate::bounds::MOST;
use crate::damage::Damage;
use crate::element::Code;

/// Everything that is known of a conversation without reading its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) epoch: Epoch,
    /// The last seq, 0 before the first.
    pub(crate) last: u64,
    /// The seq of the lists' first element.
    pub(crate) physical: u64,
    /// The oldest seq behind the head, once a trim has fixed it.
    pub(crate) cut: Option<u64>,
    /// Messages of the stored head.
    pub(crate) kept: u64,
    pub(crate) revision: u64,
    /// No entry of a payload is larger; 0 where that is not known.
    pub(crate) largest: u64,
    /// Callers' ids that are known.
    pub(crate) ids: u64,
    pub(crate) current: Code,
    /// In the order of their first use.
    pub(crate) counters: Vec<Code>,
    /// Under the counter that was asked for.
    pub(crate) sums: Sums,
}

/// The sums under one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums {
    pub(crate) tokens: u64,
    pub(crate) tallied: u64,
    pub(crate) estimated: u64,
    pub(crate) fallback: u64,
}

impl Sums {
    /// The letters of the fields, in the order in which they are read.
    pub(crate) const FIELDS: [u8; 4] = *b"nkqb";

    pub(crate) fn add(&mut self, tally: Tally) {
        self.tokens = self.tokens.saturating_add(tally.tokens);
        self.tallied += 1;
        self.estimated += u64::from(tally.is_pending());
        self.fallback += u64::from(tally.is_fallback());
    }

    pub(crate) fn values(&self) -> [u64; 4] {
        [self.tokens, self.tallied, self.estimated, self.fallback]
    }

    pub(crate) fn decode(values: &[Value]) -> Result<Self, Damage> {
        let mut sums = [0; 4];
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum = match value {
                Value::Nil => 0,
                value => number(value).ok_or(UNREADABLE)?,
            };
        }
        let [tokens, tallied, estimated, fallback] = sums;
        Ok(Self { tokens, tallied, estimated, fallback })
    }
}

const UNREADABLE: Damage = Damage("its numbers are missing or cannot be read");

/// The command that reads a state with the sums under a counter.
pub(crate) fn read(meta: &[u8], code: Option<Code>) -> Cmd {
    let mut command = Cmd::with_capacity(9, 32 + meta.len());
    command.arg("HMGET").arg(meta).arg("e").arg("s").arg("a");
    if let Some(code) = code {
        for letter in Sums::FIELDS {
            command.arg(&field(letter, code));
        }
    }
    command
}

/// The field of a sum.
pub(crate) fn field(letter: u8, code: Code) -> [u8; 1 + Code::LENGTH] {
    let [first, second, third] = code.bytes();
    [letter, first, second, third]
}

impl State {
    /// Reads what [`read`] was answered with; none where there is no conversation.
    pub(crate) fn decode(values: Vec<Value>) -> Result<Option<Self>, Damage> {
        let mut values = values.into_iter();
        let mut next = || values.next().unwrap_or(Value::Nil);
        let (epoch, last, admin) = (next(), next(), next());
        if matches!((&epoch, &last, &admin), (Value::Nil, Value::Nil, Value::Nil)) {
            return Ok(None);
        }
        let state = Self::of(epoch, &last, admin).ok_or(UNREADABLE)?;
        Ok(Some(Self { sums: Sums::decode(values.as_slice())?, ..state }))
    }

    fn of(epoch: Value, last: &Value, admin: Value) -> Option<Self> {
        let epoch = String::from_utf8(bytes(epoch)?).ok()?;
        let (epoch, first) = epoch.split_at_checked(Epoch::LENGTH)?;
        let (epoch, first) = (Epoch::parse(epoch).ok()?, Code::parse(first.as_bytes())?);
        let begun = Self {
            epoch,
            last: number(last)?,
            physical: 1,
            cut: None,
            kept: 0,
            revision: 0,
            largest: 0,
            ids: 0,
            current: first,
            counters: vec![first],
            sums: Sums::default(),
        };
        let Some(admin) = bytes(admin) else {
            return begun.is_possible().then_some(begun);
        };
        let mut words = std::str::from_utf8(&admin).ok()?.split(' ');
        let mut numbers = [0; 6];
        for number in &mut numbers {
            *number = words.next()?.parse().ok()?;
        }
        let [physical, cut, kept, revision, largest, ids] = numbers;
        let current = match words.next()? {
            "-" => first,
            code => Code::parse(code.as_bytes())?,
        };
        let mut counters = begun.counters.clone();
        match words.next()? {
            "-" => {}
            codes => {
                for code in codes.as_bytes().chunks(Code::LENGTH) {
                    counters.push(Code::parse(code)?);
                }
            }
        }
        let cut = (cut > 0).then_some(cut);
        let admin =
            Self { physical, cut, kept, revision, largest, ids, current, counters, ..begun };
        admin.is_possible().then_some(admin)
    }

    /// Whether its seqs can stand beside each other.
    fn is_possible(&self) -> bool {
        let Self { last, physical, cut, kept, .. } = *self;
        let is_in_lists = |seq: u64| physical <= seq && seq <= last + 1;
        last < MOST
            && physical <= last + 1
            && cut.map_or(kept == 0 && physical <= 1, |cut| kept < cut && is_in_lists(cut))
    }

    /// Refuses what is not whole: both lists hold a message for each seq.
    pub(crate) fn check(&self, tallies: u64, payloads: u64) -> Result<(), Damage> {
        if tallies == payloads && tallies == self.length() {
            Ok(())
        } else {
            Err(Damage::of_script("lengths"))
        }
    }

    /// How many elements both lists have.
    pub(crate) fn length(&self) -> u64 {
        (self.last + 1).saturating_sub(self.physical)
    }

    /// Retained messages.
    pub(crate) fn messages(&self) -> u64 {
        match self.cut {
            Some(cut) => (self.last + 1).saturating_sub(cut) + self.kept,
            None => self.last,
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals_of(&self.sums)
    }

    pub(crate) fn totals_of(&self, sums: &Sums) -> Totals {
        let messages = self.messages();
        Totals {
            messages,
            tokens: sums.tokens,
            pending: messages.saturating_sub(sums.tallied) + sums.estimated,
            fallback: sums.fallback,
            complete: sums.tallied >= messages,
        }
    }

    /// The oldest seq in the lists that belongs to a retained message.
    pub(crate) fn oldest_in_lists(&self) -> u64 {
        self.cut.unwrap_or(1)
    }

    pub(crate) fn next_seq(&self) -> Seq {
        seq(self.last + 1)
    }

    /// Whether it has one counter only, which is therefore current.
    pub(crate) fn has_only(&self, code: Code) -> bool {
        self.counters.len() == 1 && self.current == code && self.counters[0] == code
    }
}

/// A seq as the contract has it; stored seqs begin with 1.
pub(crate) fn seq(number: u64) -> Seq {
    Seq::new(number).unwrap_or(Seq::FIRST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn a_state_is_read_from_its_fields() {
        let read = State::decode(vec![
            text("abcdefghijklmnopAbC"),
            text("12"),
            text("3 5 2 7 256 4 DeF DeFGhI"),
            text("40"),
            Value::Nil,
        ]);
        let state = read.unwrap().unwrap();
        assert_eq!((state.last, state.physical, state.cut, state.kept), (12, 3, Some(5), 2));
        assert_eq!((state.revision, state.largest, state.ids), (7, 256, 4));
        assert_eq!(state.messages(), 10);
        let codes: Vec<_> = state.counters.iter().map(Code::as_str).collect();
        assert_eq!((state.current.as_str(), codes), ("DeF", vec!["AbC", "DeF", "GhI"]));
        let totals = state.totals();
        assert_eq!((totals.tokens, totals.pending, totals.complete), (40, 10, false));
        assert!(state.check(10, 10).is_ok() && state.check(10, 9).is_err());
    }

    #[test]
    fn what_is_missing_or_unreadable_is_told_apart() {
        assert_eq!(State::decode(vec![Value::Nil; 7]), Ok(None));
        for values in [
            vec![text("abcdefghijklmnopAbC"), Value::Nil, Value::Nil],
            vec![Value::Nil, text("1"), Value::Nil],
            vec![text("abcdefghijklmnop"), text("1"), Value::Nil],
            vec![text("abcdefghijklmnopAbC"), text("x"), Value::Nil],
            vec![text("abcdefghijklmnopAbC"), text("1"), text("1 0 0")],
            vec![text("abcdefghijklmnopAbC"), text("18446744073709551615"), Value::Nil],
            vec![text("abcdefghijklmnopAbC"), text("9"), text("6 5 0 0 0 0 - -")],
            vec![text("abcdefghijklmnopAbC"), text("9"), text("1 11 0 0 0 0 - -")],
            vec![text("abcdefghijklmnopAbC"), text("9"), text("1 5 5 0 0 0 - -")],
            vec![text("abcdefghijklmnopAbC"), text("9"), text("11 0 0 0 0 0 - -")],
            vec![text("abcdefghijklmnopAbC"), text("1"), Value::Nil, text("-1")],
        ] {
            assert!(State::decode(values.clone()).is_err(), "{values:?}");
        }
        let begun = State::decode(vec![text("abcdefghijklmnopAbC"), text("2")]).unwrap().unwrap();
        assert_eq!((begun.physical, begun.length(), begun.messages()), (1, 2, 2));
    }
}
