//! The time that a thread has had a processor.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::ledger::Outcome;

/// How long this thread has had a processor: what other programs take does not count.
pub(super) fn processor_time() -> Outcome<Duration> {
    Ok(clock_gettime(ClockId::ThreadCPUTime).try_into()?)
}
