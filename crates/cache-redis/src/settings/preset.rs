//! Figures of a pool that go together.

use std::time::Duration;

use layered_settings::{FromValue, Value};

/// A kind of load, and the figures that suit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoolPreset {
    /// One person at work.
    Development,
    /// Many operations at all times.
    HighThroughput,
    /// Little to do, and now and then very much.
    Burst,
}

/// What a preset sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) size: usize,
    pub(super) max_idle: usize,
    pub(super) timeout: Duration,
}

impl PoolPreset {
    const ALL: [Self; 3] = [Self::Development, Self::HighThroughput, Self::Burst];

    pub(super) const NAMES: [&'static str; 3] =
        [Self::Development.name(), Self::HighThroughput.name(), Self::Burst.name()];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::HighThroughput => "high_throughput",
            Self::Burst => "burst",
        }
    }

    pub(super) const fn figures(self) -> Figures {
        let (size, max_idle, seconds) = match self {
            Self::Development => (20, 10, 10),
            Self::HighThroughput => (300, 150, 45),
            Self::Burst => (500, 100, 60),
        };
        Figures { size, max_idle, timeout: Duration::from_secs(seconds) }
    }
}

impl FromValue<'_> for PoolPreset {
    fn from_value(value: &Value) -> Option<Self> {
        let word = <&str>::from_value(value)?;
        Self::ALL.into_iter().find(|preset| preset.name() == word)
    }
}
