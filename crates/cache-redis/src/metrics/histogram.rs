//! Histograms of times that many threads fill without locks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::snapshot::TimeSummary;

/// Buckets in each doubling: a bucket's edge is at most an eighth above what is in it.
const STEPS: usize = 8;

/// Forty doublings of a nanosecond are 18 minutes; what is longer is counted with those.
const BUCKETS: usize = 40 * STEPS;

/// Times on a logarithmic scale of nanoseconds.
#[derive(Debug)]
pub(crate) struct Times {
    buckets: Box<[AtomicU64]>,
    nanos: AtomicU64,
}

impl Times {
    pub(crate) fn new() -> Self {
        let buckets = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { buckets, nanos: AtomicU64::new(0) }
    }

    pub(crate) fn record(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
        self.buckets[bucket(nanos)].fetch_add(1, Ordering::Relaxed);
    }

    /// Records a time where nobody else does at the same moment. It is cheaper, since processors
    /// need not agree on each addition.
    pub(crate) fn record_alone(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let add = |count: &AtomicU64, number| {
            count.store(count.load(Ordering::Relaxed).wrapping_add(number), Ordering::Relaxed);
        };
        add(&self.nanos, nanos);
        add(&self.buckets[bucket(nanos)], 1);
    }

    pub(crate) fn summary(&self) -> TimeSummary {
        let counts = self.buckets.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        TimeSummary::new(counts, self.nanos.load(Ordering::Relaxed))
    }
}

/// The bucket of a time: its highest bit, and the three bits after it.
fn bucket(nanos: u64) -> usize {
    let nanos = nanos.max(1);
    let doublings = nanos.ilog2();
    let step = if doublings >= 3 { nanos >> (doublings - 3) } else { nanos << (3 - doublings) };
    // The step has its highest bit set, which stands for the doublings.
    let step = usize::try_from(step).unwrap_or(STEPS) - STEPS;
    (doublings as usize * STEPS + step).min(BUCKETS - 1)
}

/// The first time above a bucket.
pub(super) fn upper_edge(bucket: usize) -> Duration {
    let (doublings, step) = (bucket / STEPS, (bucket % STEPS + 1) as u64);
    Duration::from_nanos((1_u64 << doublings) + (step << doublings).div_ceil(STEPS as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_below_its_edge_and_near_it() {
        for doublings in 0..39 {
            for nanos in [1_u64 << doublings, (1 << doublings) * 3 / 2, (2 << doublings) - 1] {
                let edge = u64::try_from(upper_edge(bucket(nanos)).as_nanos()).unwrap();
                assert!(edge > nanos && edge <= nanos + nanos / 8 + 1, "{nanos} {edge}");
            }
        }
        assert_eq!((bucket(0), bucket(u64::MAX)), (0, BUCKETS - 1));
    }

    #[test]
    fn times_are_summed_up() {
        let times = Times::new();
        assert_eq!(times.summary().quantile(0.99), Duration::ZERO);
        for micros in 1..=500 {
            times.record(Duration::from_micros(2 * micros - 1));
            times.record_alone(Duration::from_micros(2 * micros));
        }
        let summary = times.summary();
        assert_eq!((summary.count, summary.total), (1000, Duration::from_micros(500_500)));
        for (part, micros) in [(0.5, 500), (0.9, 900), (0.99, 990)] {
            let found = summary.quantile(part).as_nanos();
            assert!(found >= micros * 1000 && found <= micros * 1000 * 9 / 8 + 1, "{found}");
        }
    }
}
