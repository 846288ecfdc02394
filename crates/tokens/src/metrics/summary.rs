//! What is told of a histogram.

use std::time::Duration;

/// A histogram of times in a few numbers. All are zero before the first sample.
///
/// A quantile is exact to an eighth of itself, and not below the true one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DurationSummary {
    /// Samples.
    pub count: u64,
    /// All of them added up.
    pub total: Duration,
    /// Half of them took no longer.
    pub p50: Duration,
    /// 90 of 100 took no longer.
    pub p90: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

impl DurationSummary {
    /// The mean; zero before the first sample.
    pub fn average(&self) -> Duration {
        let total = u64::try_from(self.total.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(total.checked_div(self.count).unwrap_or_default())
    }

    /// The mean, in whole nanoseconds.
    pub fn average_ns(&self) -> u64 {
        u64::try_from(self.average().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The mean, in whole milliseconds.
    pub fn average_ms(&self) -> u64 {
        u64::try_from(self.average().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A histogram of signed ratios in a few numbers. All are zero before the first sample.
///
/// Quantiles are in steps of 0.01, from -1 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct RatioSummary {
    /// Samples.
    pub count: u64,
    /// The mean, in which what is above zero makes up for what is below.
    pub mean: f64,
    /// The mean without regard to signs.
    pub mean_absolute: f64,
    /// 10 of 100 were no greater.
    pub p10: f64,
    /// Half of them were no greater.
    pub p50: f64,
    /// 90 of 100 were no greater.
    pub p90: f64,
}
