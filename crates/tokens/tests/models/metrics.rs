//! The numbers of a pool, from the crate's own files.

#[path = "../../src/metrics/histogram.rs"]
mod histogram;
#[path = "../../src/metrics/names.rs"]
mod names;
#[path = "../../src/metrics/published.rs"]
mod published;
#[path = "../../src/metrics/scale.rs"]
mod scale;
#[path = "../../src/metrics/snapshot.rs"]
mod snapshot;
#[path = "../../src/metrics/summary.rs"]
mod summary;
#[path = "../../src/metrics/token_metrics.rs"]
pub(crate) mod token_metrics;
