//! The pool, from the crate's own files; only what a count costs is left out.

#[path = "../../src/pool/builder.rs"]
mod builder;
#[path = "../../src/pool/deliver.rs"]
mod deliver;
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
#[path = "../../src/pool/job.rs"]
mod job;
#[path = "../../src/pool/queue.rs"]
mod queue;
#[path = "../../src/pool/shared.rs"]
mod shared;
#[path = "../../src/pool/shutdown.rs"]
mod shutdown;
#[path = "../../src/pool/warm.rs"]
mod warm;
#[path = "../../src/pool/worker.rs"]
mod worker;

pub(crate) use handle::AsyncTokenCounter;
pub(crate) use job::Job;
pub(crate) use shutdown::ShutdownReport;

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
        pub(super) fn learn(&self, _bytes: usize, _elapsed: Duration) {}

        #[expect(clippy::unused_self, reason = "it stands for one that learns")]
        pub(super) fn expected(&self, _bytes: usize) -> Option<Duration> {
            None
        }
    }
}
