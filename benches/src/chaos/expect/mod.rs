//! What a store must hold, as its acknowledgements have it, and whether it does.

mod crowd;
mod expected;
mod ledger;
mod many;
mod observed;
mod settled;
mod shared;
mod timeline;

pub(super) use crowd::{Crowd, CrowdCounts};
pub(super) use expected::{Counts, Expected, Faults, Lost, Retry};
pub(super) use observed::{Observed, observe, observe_at_rest};
pub(super) use settled::settle;
