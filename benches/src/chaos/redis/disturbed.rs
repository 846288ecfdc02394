//! A server that lives is disturbed while it is written to.

use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::join;
use redis_testkit::{Durability, RedisServer};
use serde::Serialize;

use super::load::{BOUND, COUNTING, Load};
use super::progress::{Progress, lock};
use super::servers::runtime;
use crate::chaos::budget::{self, Budget, Enough, case_seed};
use crate::chaos::error::{Outcome, ensure};
use crate::chaos::expect::{Counts, Faults};

/// Most disturbances of one server.
const ROUNDS: u64 = 8;

/// What is done to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// It stands still for a while.
    Pause,
    /// It forgets its scripts.
    Flush,
    /// It has no memory left for a while.
    NoMemory,
}

/// What was done in a part.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct DisturbanceFigures {
    rounds: u64,
    disturbances: u64,
    servers: u64,
    counts: Counts,
}

impl DisturbanceFigures {
    fn add(&mut self, other: Self) {
        self.rounds += other.rounds;
        self.disturbances += other.disturbances;
        self.servers += other.servers;
        self.counts.add(other.counts);
    }
}

impl Disturbance {
    /// The part's name, and its number.
    const fn part(self) -> (&'static str, u64) {
        match self {
            Self::Pause => ("pauses", 7),
            Self::Flush => ("flushes", 8),
            Self::NoMemory => ("memory", 9),
        }
    }

    /// What may fail meanwhile.
    const fn faults(self) -> Faults {
        match self {
            Self::Pause => Faults::Passing,
            Self::Flush => Faults::None,
            Self::NoMemory => Faults::NoMemory,
        }
    }

    /// Disturbs servers until enough was done.
    pub(crate) fn run(self, seed: u64, enough: Enough) -> Outcome<(DisturbanceFigures, u64)> {
        let (part, number) = self.part();
        budget::run(enough, DisturbanceFigures::add, |case, budget| {
            let seed = case_seed(seed, number, case);
            let done = runtime()?.block_on(self.server(seed, budget));
            done.map_err(|error| error.within(part, case, format!("drawn from {seed}")))
        })
    }

    async fn server(self, seed: u64, budget: &Budget) -> Outcome<DisturbanceFigures> {
        let mut rng = Rng::with_seed(seed);
        let server = RedisServer::builder().durability(Durability::Memory).start().await?;
        let mut load = Load::new(seed, server, self.faults());
        let mut done = DisturbanceFigures { servers: 1, ..DisturbanceFigures::default() };
        for _ in 0..=rng.u64(..ROUNDS) {
            if !budget.goes_on() {
                break;
            }
            done.disturbances += match self {
                Self::Pause => pause(&mut load, &mut rng).await?,
                Self::Flush => flush(&mut load, &mut rng).await?,
                Self::NoMemory => take_memory(&mut load, &mut rng).await?,
            };
            load.check().await?;
            done.rounds += 1;
            budget.spend(1);
        }
        done.counts = load.counts();
        Ok(done)
    }
}

/// The server stands still, shorter and longer than anyone waits for it.
async fn pause(load: &mut Load, rng: &mut Rng) -> Outcome<u64> {
    let patience = Duration::from_millis(rng.u64(100..500));
    let session = load.session(rng);
    let writing = load.open(&session, COUNTING.counter(), patience).await?;
    let progress = Progress::default();
    let pausing = progress.beside(async {
        let pauses = rng.u64(1..4);
        for _ in 0..pauses {
            progress.reached(progress.now().saturating_add(rng.u64(1..600))).await;
            load.server.pause()?;
            tokio::time::sleep(Duration::from_millis(rng.u64(..600))).await;
            load.server.resume()?;
        }
        progress.reached(progress.now().saturating_add(50)).await;
        Ok(pauses)
    });
    let (written, done) = join(load.write(&session, &writing, &progress), pausing).await;
    written?;
    writing.close().await?;
    done
}

/// The server forgets its scripts again and again, and nobody notices.
async fn flush(load: &mut Load, rng: &mut Rng) -> Outcome<u64> {
    let session = load.session(rng);
    let session = crate::chaos::session::Session { operations: Some(rng.u64(20..200)), ..session };
    let writing = load.open(&session, COUNTING.counter(), BOUND).await?;
    let progress = Progress::default();
    let flushing = progress.beside(async {
        let mut flushes = 0;
        while !progress.is_finished() {
            let how = if rng.bool() { "SYNC" } else { "ASYNC" };
            load.server.command(&["SCRIPT", "FLUSH", how]).await?;
            flushes += 1;
            tokio::time::sleep(Duration::from_micros(rng.u64(..4000))).await;
        }
        Ok(flushes)
    });
    let (written, done) = join(load.write(&session, &writing, &progress), flushing).await;
    written?;
    writing.close().await?;
    done
}

/// The server has no memory for more: appends are refused, everything else goes on; and appends
/// do when there is some again.
async fn take_memory(load: &mut Load, rng: &mut Rng) -> Outcome<u64> {
    let session = load.session(rng);
    let writing = load.open(&session, COUNTING.counter(), BOUND).await?;
    let progress = Progress::default();
    let taking = progress.beside(async {
        progress.reached(rng.u64(..600)).await;
        let info = load.server.info("memory").await?;
        let used: u64 = info.get("used_memory").and_then(|used| used.parse().ok()).unwrap_or(0);
        let most = (used + rng.u64(..100_000)).to_string();
        load.server.command(&["CONFIG", "SET", "maxmemory", &most]).await?;
        let failed = lock(&load.expected).counts().failed;
        let (mut refused, taken) = (false, Instant::now());
        while !refused && !progress.is_finished() {
            ensure!(
                taken.elapsed() < BOUND,
                "{} s after a server's memory is at its end, appends go on",
                BOUND.as_secs()
            );
            progress.reached(progress.now().saturating_add(20)).await;
            refused = lock(&load.expected).counts().failed >= failed + 20;
        }
        load.server.command(&["CONFIG", "SET", "maxmemory", "0"]).await?;
        let before = lock(&load.expected).counts();
        // Those that were refused are soon through; each writer comes to more than one.
        progress.reached(progress.now().saturating_add(400)).await;
        let after = lock(&load.expected).counts();
        ensure!(
            progress.is_finished() || after.acknowledged >= before.acknowledged + 50,
            "with memory again, {} operations are answered as done",
            after.acknowledged - before.acknowledged
        );
        Ok(())
    });
    let (written, taken) = join(load.write(&session, &writing, &progress), taking).await;
    written?;
    taken?;
    writing.close().await?;
    Ok(1)
}
