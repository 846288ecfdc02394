//! What a count costs, learned from the counts that were made.
//!
//! A sample is the time of one count, of the thread's [own](super::clock), divided by its bytes,
//! where a text of fewer than [`FLOOR_BYTES`] is taken as that long, so that the fixed cost of a
//! call is part of the figure.
//! The fixed cost and an interruption weigh more on a byte of a short text than of a long one, so
//! texts are learned of by their [lengths](ENDS). The samples of each go into a histogram on a
//! logarithmic scale, where a bucket's upper edge is at most one eighth above the sample. When it
//! holds [`DECAY_AT`] samples, all are halved: what was learned long ago fades, and the memory stays
//! the same. The expected cost of a text is the 90th percentile of those of its length, at the upper
//! edge of its bucket, times the text's bytes.
//!
//! A higher percentile tells of the machine and not of the counter: of texts of 200 bytes of one kind
//! the 90th was 1.5 times the median and the 99th 3 to 9 times, on two virtual processors that
//! others share. One that is met by every tenth text holds wherever the counter itself is slow.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::metrics::scale::{BUCKETS, bucket, quantile, upper_edge};

/// Shorter texts cost as much as one of this length: at some 50 ns a byte, the fixed cost of a
/// call is that of a few tens of bytes.
const FLOOR_BYTES: u64 = 64;

/// The bytes from which on a text belongs to the next length.
const ENDS: [usize; 2] = [128, 512];

/// Below this many samples nothing is expected: a percentile of a few is chance.
pub(super) const MIN_SAMPLES: u32 = 64;

/// At this many samples all are halved.
const DECAY_AT: u32 = 4096;

/// The percentile is computed anew after this many samples.
const REFRESH_EVERY: u32 = 16;

/// So many counts are all samples.
const ALL_OF_FIRST: u64 = 256;

/// Of those after them, one in so many is: to ask for a thread's processor time is a system call,
/// which may take as long as counting a few words.
const ONE_IN: u64 = 16;

/// Costs are kept in sixteenths of a nanosecond for each byte.
const SIXTEENTHS: u64 = 16;

/// Stands for "not known yet".
const UNKNOWN: u64 = u64::MAX;

/// Learns what counts cost; shared by all threads that count.
#[derive(Debug)]
pub(super) struct CostModel {
    lengths: [Length; ENDS.len() + 1],
    counts: AtomicU64,
}

impl CostModel {
    pub(super) fn new() -> Self {
        Self { lengths: std::array::from_fn(|_| Length::new()), counts: AtomicU64::new(0) }
    }

    /// Whether the count that begins now is a sample.
    pub(super) fn is_due(&self) -> bool {
        let counts = self.counts.fetch_add(1, Ordering::Relaxed);
        counts < ALL_OF_FIRST || counts.is_multiple_of(ONE_IN)
    }

    /// Learns from the time that one count took. A sample that would have to wait for another thread
    /// is left out.
    pub(super) fn learn(&self, bytes: usize, elapsed: Duration) {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.lengths[length(bytes)].learn(nanos.saturating_mul(SIXTEENTHS) / charged(bytes));
    }

    /// The time within which 9 of 10 texts of this length were counted; none while too few were.
    /// Where too few of this length were, the next shorter ones tell, or the longer ones.
    pub(super) fn expected(&self, bytes: usize) -> Option<Duration> {
        let (shorter, longer) = self.lengths.split_at(length(bytes) + 1);
        let per_byte = shorter.iter().rev().chain(longer).find_map(Length::per_byte)?;
        let sixteenths = per_byte.saturating_mul(charged(bytes));
        Some(Duration::from_nanos(sixteenths.div_ceil(SIXTEENTHS)))
    }
}

/// What is known of texts of a length.
#[derive(Debug)]
struct Length {
    histogram: Mutex<Histogram>,
    /// The 90th percentile in sixteenths of a nanosecond for each byte, or [`UNKNOWN`].
    per_byte: AtomicU64,
}

impl Length {
    fn new() -> Self {
        Self { histogram: Mutex::new(Histogram::new()), per_byte: AtomicU64::new(UNKNOWN) }
    }

    fn learn(&self, per_byte: u64) {
        let Ok(mut histogram) = self.histogram.try_lock() else { return };
        histogram.add(per_byte);
        if histogram.samples >= MIN_SAMPLES && histogram.samples.is_multiple_of(REFRESH_EVERY) {
            self.per_byte.store(histogram.percentile_90(), Ordering::Relaxed);
        }
    }

    fn per_byte(&self) -> Option<u64> {
        Some(self.per_byte.load(Ordering::Relaxed)).filter(|known| *known != UNKNOWN)
    }
}

/// Which of the lengths that are learned of apart a text has.
pub(super) fn length(bytes: usize) -> usize {
    ENDS.partition_point(|end| bytes >= *end)
}

fn charged(bytes: usize) -> u64 {
    (bytes as u64).max(FLOOR_BYTES)
}

#[derive(Debug)]
struct Histogram {
    buckets: Box<[u32; BUCKETS]>,
    samples: u32,
}

impl Histogram {
    fn new() -> Self {
        Self { buckets: Box::new([0; BUCKETS]), samples: 0 }
    }

    fn add(&mut self, value: u64) {
        self.buckets[bucket(value)] += 1;
        self.samples += 1;
        if self.samples >= DECAY_AT {
            self.buckets.iter_mut().for_each(|count| *count /= 2);
            self.samples = self.buckets.iter().sum();
        }
    }

    fn percentile_90(&self) -> u64 {
        let reached = quantile(self.buckets.iter().copied().map(u64::from), 900);
        upper_edge(reached.unwrap_or(BUCKETS - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NANO: Duration = Duration::from_nanos(1);

    fn learned(samples: impl IntoIterator<Item = (usize, Duration)>) -> CostModel {
        let model = CostModel::new();
        samples.into_iter().for_each(|(bytes, elapsed)| model.learn(bytes, elapsed));
        model
    }

    /// `expected` is at most an eighth above `nanos`, and not below.
    fn near(expected: Option<Duration>, nanos: u64) {
        let expected = expected.unwrap();
        let (low, high) = (Duration::from_nanos(nanos), Duration::from_nanos(nanos + nanos / 7));
        assert!((low..=high).contains(&expected), "{expected:?} for {nanos} ns");
    }

    #[test]
    fn nothing_is_expected_of_a_few_samples() {
        assert_eq!(learned([]).expected(100), None);
        assert_eq!(learned([(100, NANO); 63]).expected(100), None);
        assert!(learned([(100, NANO * 1000); 64]).expected(100).is_some());
    }

    #[test]
    fn the_cost_is_in_proportion_to_the_bytes() {
        let model = learned([(1000, NANO * 50_000); 64]);
        near(model.expected(1000), 50_000);
        near(model.expected(100), 5_000);
        near(model.expected(2000), 100_000);
    }

    #[test]
    fn a_long_text_is_not_charged_as_many_short_ones() {
        let short = [(64, NANO * 8_000); 64];
        near(learned(short).expected(1000), 125_000);
        let model = learned(short.into_iter().chain([(1000, NANO * 20_000); 64]));
        near(model.expected(64), 8_000);
        near(model.expected(1000), 20_000);
        // Nothing is known of texts of this length, and more cannot be wrong for long.
        near(model.expected(200), 25_000);
    }

    #[test]
    fn a_short_text_costs_as_much_as_one_of_64_bytes() {
        let model = learned([(8, NANO * 6_400); 64]);
        near(model.expected(0), 6_400);
        near(model.expected(64), 6_400);
        near(model.expected(128), 12_800);
    }

    #[test]
    fn one_in_ten_does_not_count_and_two_do() {
        let mixed = |slow: usize| {
            learned((0..800).map(|place| {
                let cost = if place % 10 < slow { 9_000 } else { 50 };
                (1000, NANO * cost * 1000)
            }))
        };
        near(mixed(1).expected(1000), 50_000);
        near(mixed(2).expected(1000), 9_000_000);
    }

    #[test]
    fn what_was_learned_long_ago_fades() {
        let slow = std::iter::repeat_n((1000, NANO * 900_000), 5_000);
        let quick = std::iter::repeat_n((1000, NANO * 50_000), 40_000);
        near(learned(slow.clone()).expected(1000), 900_000);
        near(learned(slow.clone().chain(quick.clone())).expected(1000), 50_000);
        near(learned(quick.chain(slow)).expected(1000), 900_000);
    }

    #[test]
    fn all_of_the_first_counts_are_samples_and_then_a_few() {
        let model = CostModel::new();
        let due = |counts: u64| (0..counts).filter(|_| model.is_due()).count();
        assert_eq!((due(256), due(160)), (256, 10));
    }

    #[test]
    fn extremes_do_not_overflow() {
        let model = learned([(0, Duration::MAX), (usize::MAX, Duration::ZERO)].repeat(64));
        assert!(model.expected(usize::MAX).is_some());
    }
}
