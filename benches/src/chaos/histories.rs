//! Random histories of a store in memory, each answer compared with the model's.

use std::sync::Arc;

use async_trait::async_trait;
use memory_core::{ManualClock, StoreError, Timestamp};
use memory_testkit::history::{self, Config, Reopen};
use memory_testkit::store::Subject;
use serde::Serialize;
use store_embedded::EmbeddedStore;

use super::budget::{self, Enough, case_seed};
use super::error::{ChaosError, Outcome};
use super::power::Disk;

const PART: &str = "histories";
/// Histories that are drawn from one seed.
const TOGETHER: u32 = 50;
/// Most steps of a history.
const STEPS: usize = 40;

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Histories {
    histories: u64,
    steps: u64,
}

/// Runs histories until enough were run.
pub(super) fn run(seed: u64, enough: Enough) -> Outcome<(Histories, u64)> {
    let add = |sum: &mut Histories, other: Histories| {
        sum.histories += other.histories;
        sum.steps += other.steps;
    };
    budget::run(enough, add, |case, budget| {
        let seed = case_seed(seed, 4, case);
        let config = Config { histories: TOGETHER, steps: STEPS, seed };
        let report = history::run(&config, Crashing::new).map_err(|failure| {
            let failure = ChaosError::from(Box::new(failure));
            failure.within(PART, case, format!("drawn from {seed}"))
        })?;
        budget.spend(report.histories.into());
        Ok(Histories { histories: report.histories.into(), steps: report.steps })
    })
}

/// A store on a disk in memory; what a kill would leave there is opened again.
struct Crashing {
    disk: Disk,
    clock: Arc<ManualClock>,
    store: Arc<EmbeddedStore>,
}

impl Crashing {
    async fn new() -> Self {
        let disk = Disk::new(Vec::new(), 0);
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000)));
        // The runner counts a panic as a failure of the history.
        let store = open(&disk, &clock).await.expect("a new store can be opened");
        Self { disk, clock, store }
    }
}

async fn open(disk: &Disk, clock: &Arc<ManualClock>) -> Result<Arc<EmbeddedStore>, StoreError> {
    let builder = EmbeddedStore::builder().backend(disk.clone()).clock(clock.clone());
    Ok(Arc::new(builder.open_async().await?))
}

#[async_trait]
impl Reopen for Crashing {
    fn subject(&self) -> Subject {
        Subject::new(self.store.clone()).clock(self.clock.clone())
    }

    async fn reopen(&mut self) {
        self.disk = Disk::new(self.disk.content(), 0);
        let opened = open(&self.disk, &self.clock).await;
        self.store = opened.expect("what a kill leaves can be opened");
    }
}
