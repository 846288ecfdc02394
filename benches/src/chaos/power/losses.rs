//! The power goes at random moments.

use fastrand::Rng;
use serde::Serialize;

use super::disk::Plan;
use super::image::{Image, open};
use crate::chaos::budget::{self, Budget, Enough, case_seed};
use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::expect::Counts;

const PART: &str = "losses";
/// Most losses of one disk.
const ROUNDS: u64 = 24;

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct LossFigures {
    losses: u64,
    /// Those of them that came while the store was opened.
    losses_while_opening: u64,
    disks: u64,
    counts: Counts,
}

impl LossFigures {
    fn add(&mut self, other: Self) {
        self.losses += other.losses;
        self.losses_while_opening += other.losses_while_opening;
        self.disks += other.disks;
        self.counts.add(other.counts);
    }
}

/// Takes the power away until it was away often enough.
pub(crate) fn run(seed: u64, enough: Enough) -> Outcome<(LossFigures, u64)> {
    budget::run(enough, LossFigures::add, |case, budget| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.map_err(ChaosError::system("no runtime can be started"))?;
        let seed = case_seed(seed, 2, case);
        let mut image = Image::new(seed);
        let done = runtime.block_on(disk(&mut image, seed, budget));
        done.map_err(|error| error.within(PART, case, format!("drawn from {seed}")))
    })
}

/// Takes the power of one disk away, time after time.
async fn disk(image: &mut Image, seed: u64, budget: &Budget) -> Outcome<LossFigures> {
    let mut rng = Rng::with_seed(seed);
    let mut done = LossFigures { disks: 1, ..LossFigures::default() };
    for _ in 0..=rng.u64(..ROUNDS) {
        if !budget.goes_on() {
            break;
        }
        let disk = image.disk(&mut rng);
        let while_opening = rng.u8(..5) == 0;
        if while_opening {
            disk.plan(Plan::LosePower { after: rng.u64(..12) });
        }
        match open(&disk, &mut rng).await {
            Ok(store) => {
                if !disk.is_off() {
                    disk.plan(Plan::LosePower { after: moment(&mut rng) });
                }
                image.write(&store, &mut rng).await?;
                // Without power nothing that is still written counts.
                let left = disk.lose_power();
                store.close().await;
                image.content = left;
            }
            Err(_) if disk.is_off() => {
                done.losses_while_opening += 1;
                image.content = disk.lose_power();
            }
            Err(error) => return Err(error.into()),
        }
        done.losses += 1;
        budget.spend(1);
        image.check(&mut rng).await?;
    }
    done.counts = image.counts();
    Ok(done)
}

/// Mostly soon, sometimes late, so that few and many changes are on the disk.
fn moment(rng: &mut Rng) -> u64 {
    let most = 1 << rng.u32(1..12);
    rng.u64(..most)
}
