//! The automaton and its weights in one table, and the pass over the bytes.

use std::fmt;

use super::automaton::{FEATURES, START, STATES, step};
use super::class::{CLASS, CLASSES};
use super::weights;

/// Weights are kept in this share of a token.
pub(super) const UNIT: u64 = 2048;

/// States, rounded up so that a masked index is always within the table.
const ROWS: usize = STATES.next_power_of_two();

const MASK: usize = ROWS * CLASSES - 1;

/// From this length on, a text is read at four places at the same time.
const STRIPED_BYTES: usize = 512;

pub(super) static O200K_BASE: Table = Table::new(&weights::O200K_BASE);
pub(super) static CL100K_BASE: Table = Table::new(&weights::CL100K_BASE);
pub(super) static O200K_BASE_SPREAD: Table = Table::new(&weights::O200K_BASE_SPREAD);
pub(super) static CL100K_BASE_SPREAD: Table = Table::new(&weights::CL100K_BASE_SPREAD);

/// For each state and class, the row of the next state (low half) and the step's weight (high
/// half): one look-up for each byte.
pub(super) struct Table([u32; ROWS * CLASSES]);

impl Table {
    #[expect(clippy::cast_possible_truncation, reason = "states and classes are bytes")]
    const fn new(weights: &[u16; FEATURES]) -> Self {
        let mut table = [0; ROWS * CLASSES];
        let mut place = 0;
        while place < STATES * CLASSES {
            let (next, feature) = step((place / CLASSES) as u8, (place % CLASSES) as u8);
            let row = next as u32 * CLASSES as u32;
            table[place] = row | (weights[feature as usize] as u32) << 16;
            place += 1;
        }
        Self(table)
    }

    /// The sum of the weights of all bytes.
    pub(super) fn sum(&self, bytes: &[u8]) -> u64 {
        if bytes.len() < STRIPED_BYTES {
            let (mut row, mut sum) = (usize::from(START), 0);
            for byte in bytes {
                sum += self.advance(&mut row, *byte);
            }
            sum
        } else {
            self.striped(bytes)
        }
    }

    /// Reads four quarters at once. Within one, each step waits for the one before it; four that
    /// do not wait for one another keep the processor busy. The cuts cost at most the run that
    /// each of them splits.
    fn striped(&self, bytes: &[u8]) -> u64 {
        let (first, second) = bytes.split_at(bytes.len() / 4);
        let (second, third) = second.split_at(first.len());
        let (third, fourth) = third.split_at(first.len());
        let (fourth, rest) = fourth.split_at(first.len());
        let mut rows = [usize::from(START); 4];
        let mut sums = [0; 4];
        for (((one, two), three), four) in first.iter().zip(second).zip(third).zip(fourth) {
            sums[0] += self.advance(&mut rows[0], *one);
            sums[1] += self.advance(&mut rows[1], *two);
            sums[2] += self.advance(&mut rows[2], *three);
            sums[3] += self.advance(&mut rows[3], *four);
        }
        for byte in rest {
            sums[3] += self.advance(&mut rows[3], *byte);
        }
        sums.iter().sum()
    }

    #[inline]
    fn advance(&self, row: &mut usize, byte: u8) -> u64 {
        let entry = self.0[(*row + usize::from(CLASS[usize::from(byte)])) & MASK];
        *row = (entry & 0xffff) as usize;
        u64::from(entry >> 16)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}
