//! What happens behind the callers' backs: settling what was counted, and sweeping up the rest.

mod count;
mod fallbacks;
mod settle;
mod sweep;
mod sweeper;
mod unsettled;

pub(crate) use fallbacks::{Missed, recount};
pub(crate) use settle::{Counting, Outcome, Settlements, Settler, settlements};
pub(crate) use sweep::{Scope, sweep};
pub(crate) use sweeper::{NUDGES, recount_regularly, sweep_regularly};
pub(crate) use unsettled::Unsettled;

pub use sweep::SweepReport;
