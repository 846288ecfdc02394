//! Some access to the disk fails, once; and files that are damaged otherwise.

use std::io::ErrorKind;

use fastrand::Rng;
use memory_core::{MemoryStore, StoreError};
use serde::Serialize;
use store_embedded::EmbeddedStore;

use super::corruption::{Corrupted, corrupt};
use super::disk::{Access, Plan};
use super::image::{Image, open};
use crate::chaos::budget::{self, Budget, Enough, case_seed};
use crate::chaos::error::{ChaosError, Outcome, ensure};
use crate::chaos::expect::Counts;
use crate::chaos::session::key;

const PART: &str = "faults";
/// Most faults of one disk.
const ROUNDS: u64 = 16;

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct FaultFigures {
    /// Accesses that failed.
    failures: u64,
    /// Those of them that came while the store was opened.
    failures_while_opening: u64,
    /// Those that no operation was told of, and nothing was lost by.
    failures_without_effect: u64,
    /// Those after which the power went, too.
    followed_by_loss: u64,
    corrupted: Corrupted,
    disks: u64,
    counts: Counts,
}

impl FaultFigures {
    fn add(&mut self, other: Self) {
        self.failures += other.failures;
        self.failures_while_opening += other.failures_while_opening;
        self.failures_without_effect += other.failures_without_effect;
        self.followed_by_loss += other.followed_by_loss;
        self.corrupted.add(other.corrupted);
        self.disks += other.disks;
        self.counts.add(other.counts);
    }
}

/// Lets disks fail until they failed often enough.
pub(crate) fn run(seed: u64, enough: Enough) -> Outcome<(FaultFigures, u64)> {
    budget::run(enough, FaultFigures::add, |case, budget| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(ChaosError::system("no runtime can be started"))?;
        let seed = case_seed(seed, 3, case);
        let mut image = Image::new(seed);
        let done = runtime.block_on(disk(&mut image, seed, budget));
        done.map_err(|error| error.within(PART, case, format!("drawn from {seed}")))
    })
}

/// Lets one disk fail, time after time.
async fn disk(image: &mut Image, seed: u64, budget: &Budget) -> Outcome<FaultFigures> {
    let mut rng = Rng::with_seed(seed);
    let mut done = FaultFigures { disks: 1, ..FaultFigures::default() };
    for _ in 0..=rng.u64(..ROUNDS) {
        if !budget.goes_on() {
            break;
        }
        if rng.u8(..4) == 0 {
            // What was closed in good order is not read as a whole when it is opened.
            done.corrupted.add(corrupt(&image.content, &mut rng).await?);
        }
        let disk = image.disk(&mut rng);
        let while_opening = rng.u8(..5) == 0;
        let (kind, only) = match rng.u8(..3) {
            0 => (ErrorKind::StorageFull, Access::Change),
            1 => (ErrorKind::Other, Access::Change),
            _ => (ErrorKind::Other, Access::Read),
        };
        if while_opening {
            disk.plan(Plan::Fail { after: rng.u64(..12), kind, only });
        }
        match open(&disk, &mut rng).await {
            Ok(store) => {
                if !while_opening {
                    let most = 1 << rng.u32(1..9);
                    disk.plan(Plan::Fail { after: rng.u64(..most), kind, only });
                }
                let failed = image.counts().failed;
                image.write(&store, &mut rng).await?;
                // A page that cannot be written before its time is kept for the commit.
                let is_told = image.counts().failed > failed;
                if is_told && only == Access::Change {
                    refuses(&store).await?;
                }
                done.failures_without_effect += u64::from(disk.has_failed() && !is_told);
                store.close().await;
            }
            Err(error) => {
                ensure!(disk.has_failed(), "a disk that works cannot be opened: {error}");
                done.failures_while_opening += 1;
            }
        }
        done.failures += u64::from(disk.has_failed());
        image.content = if rng.bool() {
            done.followed_by_loss += u64::from(disk.has_failed());
            disk.lose_power()
        } else {
            disk.content()
        };
        if rng.bool() {
            done.corrupted.add(corrupt(&image.content, &mut rng).await?);
        }
        image.check(&mut rng).await?;
        budget.spend(1);
    }
    done.counts = image.counts();
    Ok(done)
}

/// Whatever state the database is in after a failed operation, nothing more is acknowledged.
async fn refuses(store: &EmbeddedStore) -> Outcome<()> {
    match store.clear(&key(0)?).await {
        Err(StoreError::Poisoned) => Ok(()),
        answer => Err(ChaosError::violation(format!(
            "after the disk failed an operation, the next is answered {answer:?}"
        ))),
    }
}
