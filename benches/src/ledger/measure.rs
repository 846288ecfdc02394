//! Times, percentiles, and the loop that tells how fast the machine is.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::report::Series;

/// The times of one round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The smallest time that so many percent of all times do not exceed, in microseconds.
    pub(crate) fn percentile(&mut self, percent: usize) -> f64 {
        if self.0.is_empty() {
            return f64::NAN;
        }
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        let (_, time, _) = self.0.select_nth_unstable(rank - 1);
        microseconds(*time)
    }
}

pub(crate) fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// So many in so much time, for each second.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// One number over another, round by round.
pub(crate) fn ratios(name: &str, above: &Series, below: &Series) -> Series {
    let rounds = above.rounds.iter().zip(&below.rounds).map(|(above, below)| above / below);
    Series { name: name.to_owned(), unit: "×".to_owned(), rounds: rounds.collect() }
}

/// The loop whose time says how fast the machine is.
#[derive(Debug)]
pub(crate) struct Reference(Series);

/// Entries of the loop's table: 64 KiB, more than the first cache holds.
const ENTRIES: usize = 1 << 13;
const STEPS: usize = 200_000;

impl Reference {
    pub(crate) fn new() -> Self {
        Self(Series::new("reference loop", "µs"))
    }

    /// Runs the loop once: a chain of multiplications and look-ups, each waiting for the last.
    pub(crate) fn time(&mut self) {
        let mut table: Vec<u64> = (0..ENTRIES as u64).collect();
        let start = Instant::now();
        let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
        for _ in 0..STEPS {
            // The low bits of a product chosen by the table: no step can begin before the last.
            let place = (state >> 51) as usize % ENTRIES;
            state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(table[place] | 1);
            table[place] ^= state >> 7;
        }
        black_box(state);
        self.0.rounds.push(microseconds(start.elapsed()));
    }

    pub(crate) fn into_series(self) -> Series {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let check = |times: &[u64], percent: usize, expected: f64| {
            let mut times = Times(times.iter().copied().map(Duration::from_micros).collect());
            assert!((times.percentile(percent) - expected).abs() < 1e-9, "{percent} of {times:?}");
        };
        check(&[7], 50, 7.0);
        check(&[3, 1, 2], 50, 2.0);
        check(&[4, 3, 1, 2], 50, 2.0);
        check(&(1..=100).rev().collect::<Vec<_>>(), 99, 99.0);
        check(&[1, 2], 99, 2.0);
    }
}
