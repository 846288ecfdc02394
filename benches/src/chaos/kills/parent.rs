//! The process that kills, and looks at what is left.

use std::path::Path;

use fastrand::Rng;
use serde::Serialize;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::written::Written;
use crate::chaos::budget::{self, Budget, Enough, case_seed};
use crate::chaos::content::Counting;
use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::expect::Counts;
use crate::chaos::place::{Place, Server};
use crate::chaos::redis::{emptied, start};
use crate::chaos::session::{Layout, Sweeping};

const PART: &str = "kills";
/// Most kills of writers of one store.
const ROUNDS: u64 = 12;

/// What was done in the part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct KillFigures {
    kills: u64,
    /// Those of them that came while the store was opened or its pendings were swept.
    kills_without_writing: u64,
    synced: u64,
    relaxed: u64,
    files: u64,
    files_with_bpe: u64,
    counts: Counts,
}

impl KillFigures {
    fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.kills_without_writing += other.kills_without_writing;
        self.synced += other.synced;
        self.relaxed += other.relaxed;
        self.files += other.files;
        self.files_with_bpe += other.files_with_bpe;
        self.counts.add(other.counts);
    }
}

/// What was done to a store on a server.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct RedisKillFigures {
    kills: u64,
    /// Those of them that came while the store was opened or its pendings were swept.
    kills_without_writing: u64,
    servers: u64,
    counts: Counts,
}

/// Kills writers of files until enough was killed.
pub(crate) fn run(seed: u64, enough: Enough, directory: &Path) -> Outcome<(KillFigures, u64)> {
    budget::run(enough, KillFigures::add, |case, budget| {
        let place = tempfile::Builder::new().prefix("turnledger-chaos-").tempdir_in(directory);
        let place = place.map_err(ChaosError::system("no folder can be created for the files"))?;
        file(case_seed(seed, 1, case), case, budget, &place).map_err(|error| {
            // What is left is worth a look.
            let place = place.keep().display().to_string();
            error.within(PART, case, place)
        })
    })
}

/// Kills the writers of one file, one after the other.
fn file(seed: u64, case: u64, budget: &Budget, place: &TempDir) -> Outcome<KillFigures> {
    let runtime = runtime()?;
    let mut rng = Rng::with_seed(seed);
    let counting = counting(case);
    let mut done = KillFigures { files: 1, ..KillFigures::default() };
    done.files_with_bpe += u64::from(counting == Counting::Bpe);
    let mut written = Written::new(seed, counting, Layout::FEW, None);
    let file = |synced| Place::Embedded { path: place.path().join("memory.redb"), synced };
    for round in 1..=1 + rng.u64(..ROUNDS) {
        if !budget.goes_on() {
            break;
        }
        let before = done.kills;
        let mut writes = true;
        // Now and then another one is killed that only opens the file and sweeps it.
        while writes || rng.u8(..4) == 0 {
            let synced = done.kills.is_multiple_of(2);
            written.kill_one(&file(synced), round, writes, &mut rng)?;
            done.kills += 1;
            done.kills_without_writing += u64::from(!writes);
            done.synced += u64::from(synced);
            done.relaxed += u64::from(!synced);
            writes = false;
        }
        // The process that wrote is gone, so its locks are too.
        runtime.block_on(written.check(&file(false), rng.u8(..8) > 0))?;
        budget.spend(done.kills - before);
    }
    done.counts = written.counts();
    Ok(done)
}

/// Kills writers to a server that lives, until enough was killed.
pub(crate) fn run_redis(seed: u64, enough: Enough) -> Outcome<(RedisKillFigures, u64)> {
    let add = |sum: &mut RedisKillFigures, other: RedisKillFigures| {
        sum.kills += other.kills;
        sum.kills_without_writing += other.kills_without_writing;
        sum.servers += other.servers;
        sum.counts.add(other.counts);
    };
    budget::run(enough, add, |case, budget| {
        let seed = case_seed(seed, 5, case);
        let done = runtime()?.block_on(writers_of_server(seed, case, budget));
        done.map_err(|error| error.within(PART, case, format!("drawn from {seed}")))
    })
}

/// Kills the writers to one server, one after the other.
async fn writers_of_server(seed: u64, case: u64, budget: &Budget) -> Outcome<RedisKillFigures> {
    let mut rng = Rng::with_seed(seed);
    let mut done = RedisKillFigures { servers: 1, ..RedisKillFigures::default() };
    let server = start().await?;
    let place = Place::Redis(Server::new(server.url()));
    let layout = Layout::Own { own: 5, sharing: 3 };
    // Leases and times of grace of a killed process must end before a sweep can go on.
    let lease = rng.u64(20..400);
    let sweeping = Sweeping { interval: rng.u64(5..100), lease, grace: rng.u64(..400) };
    let mut written = Written::new(seed, counting(case), layout, Some(sweeping));
    for round in 1..=1 + rng.u64(..ROUNDS) {
        if !budget.goes_on() {
            break;
        }
        let before = done.kills;
        let mut writes = true;
        while writes || rng.u8(..4) == 0 {
            written.kill_one(&place, round, writes, &mut rng)?;
            done.kills += 1;
            done.kills_without_writing += u64::from(!writes);
            writes = false;
        }
        // What it had sent is done before its sockets are seen to be closed.
        emptied([&server]).await?;
        written.check(&place, rng.u8(..8) > 0).await?;
        budget.spend(done.kills - before);
    }
    done.counts = written.counts();
    Ok(done)
}

fn counting(case: u64) -> Counting {
    if case % 16 == 3 { Counting::Bpe } else { Counting::Hash }
}

fn runtime() -> Outcome<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(ChaosError::system("no runtime can be started"))
}
