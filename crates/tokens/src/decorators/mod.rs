//! Counters around counters.

mod cached;
mod calibrated;
mod estimated;
mod fallback;
mod metered;
mod store;

pub use cached::{CacheStats, Cached};
pub use calibrated::{Calibrated, Calibration};
pub use estimated::EstimatedCounter;
pub use fallback::Fallback;
pub use metered::{Metered, MeteredStats};

#[cfg(test)]
pub(crate) mod testing;
