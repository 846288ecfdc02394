//! The automaton and its weights in one table, and the pass over the bytes.

use std::fmt;
use std::sync::LazyLock;

use super::automaton::{FEATURES, START, STATES, step};
use super::class::class_of;
use super::weights;

/// Weights are kept in this share of a token.
pub(super) const UNIT: u64 = 2048;

/// Entries of a state, one for each byte.
const ROW: usize = 256;

const ENTRIES: usize = STATES.next_power_of_two() * ROW;

/// The bits below an entry's weight. They hold a row, and the sum of the rows of a whole chunk.
const WEIGHT_SHIFT: u32 = 32;

/// Bytes that are read in one go.
const CHUNK: usize = 64 << 10;

const _: () = assert!(CHUNK * ENTRIES < 1 << WEIGHT_SHIFT);

/// Places at which a text is read at the same time.
const STRIPES: usize = 6;

/// Bytes of a stripe that are read in turn.
const BLOCK: usize = 8;

/// From this length on, a text is read at several places at the same time.
const STRIPED_BYTES: usize = 512;

pub(super) static O200K_BASE: LazyTable = LazyTable::new(|| Table::new(&weights::O200K_BASE));
pub(super) static CL100K_BASE: LazyTable = LazyTable::new(|| Table::new(&weights::CL100K_BASE));
pub(super) static O200K_BASE_SPREAD: LazyTable =
    LazyTable::new(|| Table::new(&weights::O200K_BASE_SPREAD));
pub(super) static CL100K_BASE_SPREAD: LazyTable =
    LazyTable::new(|| Table::new(&weights::CL100K_BASE_SPREAD));

/// A table that is made when it is first used, which takes less than a millisecond.
pub(super) type LazyTable = LazyLock<Table>;

/// For each state and byte, the row of the next state (low half) and the step's weight (high
/// half): one look-up for each byte. Entries are added up as they are, rows and all; the weights'
/// sum is the high half of what comes out.
pub(super) struct Table(Box<[u64; ENTRIES]>);

impl Table {
    fn new(weights: &[u16; FEATURES]) -> Self {
        let entries = vec![0; ENTRIES].into_boxed_slice();
        let mut table =
            Self(entries.try_into().expect("there are as many entries as are asked for"));
        let steps = (0..=u8::MAX).map(|byte| (0..STATES).map(move |state| (state, byte)));
        for (state, byte) in steps.flatten() {
            let (next, feature) = step(small(state), class_of(byte));
            let weight = u64::from(weights[usize::from(feature)]);
            table.0[state * ROW + usize::from(byte)] = row(next) | weight << WEIGHT_SHIFT;
        }
        table
    }

    /// The sum of the weights of all bytes.
    pub(super) fn sum(&self, bytes: &[u8]) -> u64 {
        let (mut entry, mut sum) = (row(START), 0);
        for chunk in bytes.chunks(CHUNK) {
            let weights = if chunk.len() < STRIPED_BYTES {
                self.run(&mut entry, chunk)
            } else {
                self.striped(&mut entry, chunk)
            };
            sum += weights >> WEIGHT_SHIFT;
        }
        sum
    }

    /// The sum of the entries of bytes that follow one another.
    fn run(&self, entry: &mut u64, bytes: &[u8]) -> u64 {
        let mut sum = 0;
        for byte in bytes {
            *entry = self.next(*entry, *byte);
            sum += *entry;
        }
        sum
    }

    /// Reads several stripes at once. Within one, each step waits for the one before it; some that
    /// do not wait for one another keep the processor busy.
    ///
    /// Each stripe takes its state from the bytes before it: from so many that a run is rarely
    /// known to be longer.
    fn striped(&self, entry: &mut u64, bytes: &[u8]) -> u64 {
        let length = bytes.len() / (STRIPES * BLOCK) * BLOCK;
        let stripes: [&[u8]; STRIPES] =
            std::array::from_fn(|place| &bytes[place * length..][..length]);
        let mut entries = [*entry; STRIPES];
        for (before, entry) in stripes.iter().zip(&mut entries[1..]) {
            *entry = row(START);
            self.run(entry, &before[length - BLOCK..]);
        }
        let blocks = stripes.map(|stripe| stripe.as_chunks::<BLOCK>().0);
        let mut sums = [0; 2];
        for block in 0..length / BLOCK {
            let block = blocks.map(|blocks| u64::from_le_bytes(blocks[block]));
            for byte in 0..BLOCK {
                for (place, entry) in entries.iter_mut().enumerate() {
                    *entry = self.next(*entry, block[place].to_le_bytes()[byte]);
                    sums[place % 2] += *entry;
                }
            }
        }
        *entry = entries[STRIPES - 1];
        sums[0] + sums[1] + self.run(entry, &bytes[STRIPES * length..])
    }

    /// The entry of a byte behind that of another.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the row is in the low half")]
    fn next(&self, entry: u64, byte: u8) -> u64 {
        self.0[(entry as usize + usize::from(byte)) % ENTRIES]
    }
}

fn row(state: u8) -> u64 {
    u64::from(state) * ROW as u64
}

#[expect(clippy::cast_possible_truncation, reason = "states are bytes")]
fn small(state: usize) -> u8 {
    state as u8
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_in_stripes_sums_up_as_what_is_read_in_turn() {
        let table = &*O200K_BASE;
        let check = |text: &str| {
            let mut entry = row(START);
            let in_turn = table.run(&mut entry, text.as_bytes()) >> WEIGHT_SHIFT;
            assert_eq!(table.sum(text.as_bytes()), in_turn, "{} bytes", text.len());
        };
        // No run in it is longer than what each stripe looks back on.
        let text = "Ab c. (12) d\u{e9}f, \u{4e16}\u{754c}! ".repeat(1500);
        for end in (0..1200).chain(text.len() - 60..=text.len()) {
            if let Some(text) = text.get(..end) {
                check(text);
            }
        }
    }
}
