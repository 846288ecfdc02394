//! Histograms of a fixed size that threads fill without locks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::scale::{BUCKETS, bucket, quantile, upper_edge};
use super::summary::{DurationSummary, RatioSummary};

/// A histogram of times, on a logarithmic scale of nanoseconds.
#[derive(Debug)]
pub(crate) struct Durations {
    buckets: Box<[AtomicU64]>,
    nanos: AtomicU64,
    longest: AtomicU64,
}

impl Durations {
    pub(crate) fn new() -> Self {
        Self { buckets: zeros(BUCKETS), nanos: AtomicU64::new(0), longest: AtomicU64::new(0) }
    }

    pub(crate) fn record(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.longest.fetch_max(nanos, Ordering::Relaxed);
        self.buckets[bucket(nanos)].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn summary(&self) -> DurationSummary {
        let max = self.longest.load(Ordering::Relaxed);
        let time = |thousandths| {
            let edge = quantile(loaded(&self.buckets), thousandths).map_or(0, upper_edge);
            Duration::from_nanos(edge.min(max))
        };
        DurationSummary {
            count: loaded(&self.buckets).sum(),
            total: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
            p50: time(500),
            p90: time(900),
            p99: time(990),
            max: Duration::from_nanos(max),
        }
    }
}

/// The least ratio that has a bucket of its own, in hundredths.
const LEAST: i64 = -100;

/// The greatest one.
const MOST: i64 = 400;

/// What the sums are kept in.
const MILLIONTHS: f64 = 1e6;

/// A histogram of signed ratios, in hundredths from [`LEAST`] to [`MOST`].
#[derive(Debug)]
pub(crate) struct Ratios {
    buckets: Box<[AtomicU64]>,
    sum: AtomicI64,
    absolute: AtomicU64,
}

impl Ratios {
    pub(crate) fn new() -> Self {
        let buckets = usize::try_from(MOST - LEAST + 1).unwrap_or_default();
        Self { buckets: zeros(buckets), sum: AtomicI64::new(0), absolute: AtomicU64::new(0) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float keeps to the bounds")]
    pub(crate) fn record(&self, ratio: f64) {
        let millionths = (ratio * MILLIONTHS) as i64;
        self.sum.fetch_add(millionths, Ordering::Relaxed);
        self.absolute.fetch_add(millionths.unsigned_abs(), Ordering::Relaxed);
        let hundredths = ((ratio * 100.0).round() as i64).clamp(LEAST, MOST);
        let bucket = usize::try_from(hundredths - LEAST).unwrap_or_default();
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody reads that many digits of a mean")]
    pub(crate) fn summary(&self) -> RatioSummary {
        let count: u64 = loaded(&self.buckets).sum();
        let mean = |sum: f64| if count == 0 { 0.0 } else { sum / MILLIONTHS / count as f64 };
        let ratio = |thousandths| {
            let bucket = quantile(loaded(&self.buckets), thousandths);
            bucket.map_or(0.0, |bucket| (bucket as f64 + LEAST as f64) / 100.0)
        };
        RatioSummary {
            count,
            mean: mean(self.sum.load(Ordering::Relaxed) as f64),
            mean_absolute: mean(self.absolute.load(Ordering::Relaxed) as f64),
            p10: ratio(100),
            p50: ratio(500),
            p90: ratio(900),
        }
    }
}

fn zeros(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

fn loaded(buckets: &[AtomicU64]) -> impl Iterator<Item = u64> + Clone {
    buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_summed_up() {
        let durations = Durations::new();
        assert_eq!(durations.summary(), DurationSummary::default());
        for micros in 1..=1000 {
            durations.record(Duration::from_micros(micros));
        }
        let summary = durations.summary();
        assert_eq!((summary.count, summary.total), (1000, Duration::from_micros(500_500)));
        assert_eq!((summary.average_ns(), summary.average_ms()), (500_500, 0));
        assert_eq!(summary.max, Duration::from_millis(1));
        let near = |time: Duration, micros: u64| {
            let (low, high) = (micros * 1000, micros * 1000 * 9 / 8 + 1);
            assert!((u128::from(low)..=u128::from(high)).contains(&time.as_nanos()), "{time:?}");
        };
        near(summary.p50, 500);
        near(summary.p90, 900);
        near(summary.p99, 990);
        durations.record(Duration::MAX);
        assert_eq!(durations.summary().max, Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn ratios_keep_their_signs() {
        let ratios = Ratios::new();
        assert_eq!(ratios.summary(), RatioSummary::default());
        for ratio in [-0.5, -0.1, 0.0, 0.1, 0.25] {
            ratios.record(ratio);
        }
        let summary = ratios.summary();
        assert_eq!(summary.count, 5);
        let near = |found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        };
        near(summary.mean, -0.05);
        near(summary.mean_absolute, 0.19);
        near(summary.p10, -0.5);
        near(summary.p50, 0.0);
        near(summary.p90, 0.25);
        ratios.record(1e9);
        near(ratios.summary().p90, 4.0);
    }
}
