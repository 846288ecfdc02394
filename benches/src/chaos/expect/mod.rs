//! What a store must hold, as its acknowledgements have it, and whether it does.

mod expected;
mod ledger;
mod observed;
mod settled;
mod shared;

pub(super) use expected::{Counts, Expected, Retry};
pub(super) use observed::observe;
pub(super) use settled::settle;
