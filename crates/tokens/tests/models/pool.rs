//! The pool, from the crate's own files; only what a count costs is left out.

#[path = "../../src/pool/aftermath.rs"]
mod aftermath;
#[path = "../../src/pool/builder.rs"]
mod builder;
#[path = "../../src/pool/clock.rs"]
mod clock;
#[path = "../../src/pool/deliver.rs"]
mod deliver;
#[path = "../../src/pool/desk.rs"]
mod desk;
#[path = "../../src/pool/flights.rs"]
mod flights;
#[path = "../../src/pool/flows.rs"]
mod flows;
#[path = "../../src/pool/guard.rs"]
mod guard;
#[path = "../../src/pool/hand.rs"]
mod hand;
#[path = "../../src/pool/handle.rs"]
mod handle;
#[path = "../../src/pool/idle.rs"]
mod idle;
#[path = "../../src/pool/inline.rs"]
mod inline;
#[path = "../../src/pool/intake.rs"]
mod intake;
#[path = "../../src/pool/job.rs"]
mod job;
#[path = "../../src/pool/parts.rs"]
mod parts;
#[path = "../../src/pool/priority.rs"]
mod priority;
#[path = "../../src/pool/queue.rs"]
mod queue;
#[path = "../../src/pool/shared.rs"]
mod shared;
#[path = "../../src/pool/shutdown.rs"]
mod shutdown;
#[path = "../../src/pool/warm.rs"]
mod warm;
#[path = "../../src/pool/watch.rs"]
mod watch;
#[path = "../../src/pool/worker.rs"]
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) use handle::AsyncTokenCounter;
pub(crate) use job::Job;
pub(crate) use parts::PART_BYTES;
pub(crate) use shutdown::ShutdownReport;

/// Has a watcher look, for which every count that goes on has taken too long.
pub(crate) fn watch(pool: &AsyncTokenCounter) {
    let (shared, threads) = (Arc::clone(pool.shared()), Arc::clone(&pool.pool().threads));
    let too_late = Instant::now() + Duration::from_hours(24);
    watch::Watcher::new(shared, threads).look(too_late);
}

mod cost {
    use std::time::Duration;

    /// Learns nothing, so that nothing is counted at once and times change no schedule.
    #[derive(Debug)]
    pub(super) struct CostModel;

    impl CostModel {
        pub(super) fn new() -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "it stands for one that learns")]
        pub(super) fn is_due(&self) -> bool {
            false
        }

        #[expect(clippy::unused_self, reason = "it stands for one that learns")]
        pub(super) fn learn(&self, _bytes: usize, _elapsed: Duration) {}

        #[expect(clippy::unused_self, reason = "it stands for one that learns")]
        pub(super) fn expected(&self, _bytes: usize) -> Option<Duration> {
            None
        }
    }
}
