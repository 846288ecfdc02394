//! What is stored of a conversation as a whole.

use memory_core::{Backlog, Epoch, Tally, Timestamp, Totals};

use crate::bytes::{Damage, Reader, put_number, put_optional, text};
use crate::row::{CounterCode, block_of, block_start};

/// The sums under one counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) code: CounterCode,
    /// Sum of the tallies.
    pub(crate) tokens: u64,
    /// Messages that have a tally.
    pub(crate) tallied: u64,
    /// Messages whose tally is no estimate.
    pub(crate) settled: u64,
    /// Those of them that a fallback counted.
    pub(crate) fallback: u64,
}

impl Sum {
    pub(crate) const fn new(code: CounterCode) -> Self {
        Self { code, tokens: 0, tallied: 0, settled: 0, fallback: 0 }
    }

    pub(crate) fn add(&mut self, tally: Tally) {
        self.tokens = self.tokens.saturating_add(tally.tokens);
        self.tallied += 1;
        self.settled += u64::from(!tally.is_pending());
        self.fallback += u64::from(tally.is_fallback());
    }

    pub(crate) fn remove(&mut self, tally: Tally) {
        self.tokens = self.tokens.saturating_sub(tally.tokens);
        self.tallied = self.tallied.saturating_sub(1);
        self.settled = self.settled.saturating_sub(u64::from(!tally.is_pending()));
        self.fallback = self.fallback.saturating_sub(u64::from(tally.is_fallback()));
    }
}

/// One life of a conversation.
///
/// The retained messages are the seqs `1..=leading` and `first..next_seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The number of this life, which no other life in the store has or had.
    pub(crate) number: u64,
    pub(crate) epoch: Epoch,
    pub(crate) next_seq: u64,
    /// The oldest message behind the leading ones, or `next_seq`.
    pub(crate) first: u64,
    /// How many instructions stand before every other message.
    pub(crate) leading: u64,
    /// No message before this one is pending under the current counter.
    pub(crate) pending_from: u64,
    /// No message before this one has a fallback's count under the current counter.
    pub(crate) fallback_from: u64,
    pub(crate) current: CounterCode,
    pub(crate) expires_at: Option<u64>,
    /// Under which time the index of expiries has this life.
    pub(crate) expiry_noted: Option<u64>,
    /// In the order of the counters' first use.
    pub(crate) sums: Vec<Sum>,
    /// The rows of the newest block, which is not complete.
    pub(crate) tail: Vec<u8>,
}

impl Record {
    pub(crate) fn new(number: u64, epoch: Epoch, current: CounterCode) -> Self {
        Self {
            number,
            epoch,
            next_seq: 1,
            first: 1,
            leading: 0,
            pending_from: 1,
            fallback_from: 1,
            current,
            expires_at: None,
            expiry_noted: None,
            sums: Vec::with_capacity(1),
            tail: Vec::new(),
        }
    }

    pub(crate) const fn messages(&self) -> u64 {
        self.leading + (self.next_seq - self.first)
    }

    pub(crate) const fn retains(&self, seq: u64) -> bool {
        (seq >= 1 && seq <= self.leading) || (seq >= self.first && seq < self.next_seq)
    }

    /// The first seq of the block that `tail` holds.
    pub(crate) const fn tail_start(&self) -> u64 {
        block_start(block_of(self.next_seq))
    }

    /// How many rows `tail` holds.
    pub(crate) const fn tail_rows(&self) -> u64 {
        self.next_seq - self.tail_start()
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now.as_millis())
    }

    pub(crate) fn sum(&self, code: CounterCode) -> Option<&Sum> {
        self.sums.iter().find(|sum| sum.code == code)
    }

    /// The sums under one counter, to change them.
    pub(crate) fn sum_mut(&mut self, code: CounterCode) -> &mut Sum {
        let place = self.sums.iter().position(|sum| sum.code == code).unwrap_or_else(|| {
            self.sums.push(Sum::new(code));
            self.sums.len() - 1
        });
        &mut self.sums[place]
    }

    pub(crate) fn totals(&self, code: Option<CounterCode>) -> Totals {
        let messages = self.messages();
        let sum = code.and_then(|code| self.sum(code)).copied().unwrap_or(Sum::new(0));
        Totals {
            messages,
            tokens: sum.tokens,
            pending: messages.saturating_sub(sum.settled),
            fallback: sum.fallback,
            complete: sum.tallied >= messages,
        }
    }

    /// Messages that are in a backlog under the current counter.
    pub(crate) fn waiting(&self, backlog: Backlog) -> u64 {
        backlog.of(&self.totals(Some(self.current)))
    }

    /// No message before this one is in a backlog under the current counter.
    pub(crate) const fn waiting_from(&self, backlog: Backlog) -> u64 {
        match backlog {
            Backlog::Pending => self.pending_from,
            Backlog::Fallback => self.fallback_from,
        }
    }

    /// The entries that the indexes have for this life.
    pub(crate) fn indexed(&self) -> Indexed {
        let entry = |backlog| (self.waiting(backlog) > 0).then_some((self.number, self.current));
        Indexed { pending: entry(Backlog::Pending), fallback: entry(Backlog::Fallback) }
    }

    /// Makes a counter the current one.
    pub(crate) fn switch_to(&mut self, code: CounterCode) {
        if self.current != code {
            self.current = code;
            self.pending_from = 1;
            self.fallback_from = 1;
        }
        self.sum_mut(code);
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        put_number(out, self.number);
        let with_fallbacks = self.sums.iter().any(|sum| sum.fallback > 0);
        if with_fallbacks {
            out.push(WITH_FALLBACKS);
        }
        out.extend_from_slice(self.epoch.as_str().as_bytes());
        for number in [self.next_seq, self.first, self.leading, self.pending_from] {
            put_number(out, number);
        }
        if with_fallbacks {
            put_number(out, self.fallback_from);
        }
        put_number(out, u64::from(self.current));
        put_optional(out, self.expires_at);
        put_optional(out, self.expiry_noted);
        put_number(out, self.sums.len() as u64);
        for sum in &self.sums {
            for number in [u64::from(sum.code), sum.tokens, sum.tallied, sum.settled] {
                put_number(out, number);
            }
            if with_fallbacks {
                put_number(out, sum.fallback);
            }
        }
        out.extend_from_slice(&self.tail);
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let mut reader = Reader::new(bytes);
        let number = reader.number()?;
        let with_fallbacks = reader.rest().first() == Some(&WITH_FALLBACKS);
        if with_fallbacks {
            reader.byte()?;
        }
        let epoch = Epoch::parse(text(reader.take(Epoch::LENGTH)?)?)
            .map_err(|_| Damage("the conversation has no proper epoch"))?;
        let [next_seq, first, leading, pending_from] =
            [reader.number()?, reader.number()?, reader.number()?, reader.number()?];
        if next_seq < first || first <= leading {
            return Err(Damage("the conversation's seqs contradict each other"));
        }
        let fallback_from = if with_fallbacks { reader.number()? } else { 1 };
        let current = code(&mut reader)?;
        let expires_at = reader.optional()?;
        let expiry_noted = reader.optional()?;
        let count = reader.number()?;
        let mut sums = Vec::new();
        for _ in 0..count {
            sums.push(Sum {
                code: code(&mut reader)?,
                tokens: reader.number()?,
                tallied: reader.number()?,
                settled: reader.number()?,
                fallback: if with_fallbacks { reader.number()? } else { 0 },
            });
        }
        Ok(Self {
            number,
            epoch,
            next_seq,
            first,
            leading,
            pending_from,
            fallback_from,
            current,
            expires_at,
            expiry_noted,
            sums,
            tail: reader.rest().to_vec(),
        })
    }
}

/// Stands before the epoch of a record that counts fallbacks; no epoch begins with it.
///
/// All other records are written without those numbers, as the first format has them.
const WITH_FALLBACKS: u8 = 1;

/// The entries of one life in the indexes, each with the life's number and its current counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Indexed {
    pub(crate) pending: Option<(u64, CounterCode)>,
    pub(crate) fallback: Option<(u64, CounterCode)>,
}

fn code(reader: &mut Reader<'_>) -> Result<CounterCode, Damage> {
    CounterCode::try_from(reader.number()?).map_err(|_| Damage("a counter's code is too large"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_record() -> impl Strategy<Value = Record> {
        let sum = (any::<u32>(), any::<u64>(), any::<u64>(), any::<u64>(), 0..3_u64).prop_map(
            |(code, tokens, tallied, settled, fallback)| Sum {
                code,
                tokens,
                tallied,
                settled,
                fallback,
            },
        );
        let seqs = (0..1000_u64, 1..1000_u64, 0..1000_u64, any::<u64>());
        let times = (any::<Option<u64>>(), any::<Option<u64>>());
        let sums = proptest::collection::vec(sum, 0..9);
        let tail = proptest::collection::vec(any::<u8>(), 0..100);
        (any::<u64>(), any::<u128>(), seqs, any::<u32>(), times, sums, tail).prop_map(
            |(number, epoch, (leading, gap, length, pending_from), current, times, sums, tail)| {
                let fallbacks = sums.iter().any(|sum: &Sum| sum.fallback > 0);
                Record {
                    number,
                    epoch: Epoch::from_random(epoch),
                    next_seq: leading + gap + length,
                    first: leading + gap,
                    leading,
                    pending_from,
                    fallback_from: if fallbacks { pending_from } else { 1 },
                    current,
                    expires_at: times.0,
                    expiry_noted: times.1,
                    sums,
                    tail,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn records_survive_their_bytes(record in any_record()) {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            prop_assert_eq!(Record::decode(&bytes), Ok(record));
        }

        #[test]
        fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Record::decode(&bytes);
        }
    }

    #[test]
    fn a_record_counts_head_and_tail() {
        let mut record = Record::new(1, Epoch::from_random(0), 0);
        assert_eq!((record.messages(), record.totals(None)), (0, Totals::EMPTY));
        (record.leading, record.first, record.next_seq) = (2, 10, 13);
        assert_eq!(record.messages(), 5);
        let retained: Vec<u64> = (0..20).filter(|seq| record.retains(*seq)).collect();
        assert_eq!(retained, [1, 2, 10, 11, 12]);
        record.sum_mut(7).add(Tally::estimated(4));
        record.sum_mut(7).add(Tally::exact(3));
        let totals = record.totals(Some(7));
        assert_eq!((totals.tokens, totals.pending, totals.complete), (7, 4, false));
        record.sum_mut(7).remove(Tally::estimated(4));
        assert_eq!(record.totals(Some(7)).tokens, 3);
    }
}
