//! What happens behind the callers' backs: settling what was counted, and sweeping up the rest.

mod count;
mod settle;
mod sweep;
mod sweeper;
mod unsettled;

pub(crate) use settle::{Counting, Settlements, settle_all, settlements};
pub(crate) use sweep::{Scope, sweep};
pub(crate) use sweeper::{NUDGES, sweep_regularly};
pub(crate) use unsettled::Unsettled;

pub use sweep::SweepReport;
