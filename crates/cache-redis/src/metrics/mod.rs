//! What operators see: counts and times, under the names of [`names`].

mod describe;
mod histogram;
mod meters;
pub mod names;
mod published;
mod snapshot;

pub use describe::describe;
pub use snapshot::{PoolSnapshot, TimeSummary};

pub(crate) use histogram::Times;
pub(crate) use meters::{Meters, Reaped};
