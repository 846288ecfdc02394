//! What a run against Redis is told, and its parts one after the other.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::disturbed::Disturbance;
use super::topology::Kind;
use super::{crowds, cuts, failovers, server_kills};
use crate::chaos::budget::Enough;
use crate::chaos::cli::minutes;
use crate::chaos::error::{ChaosError, Outcome};
use crate::chaos::kills;
use crate::chaos::report::Report;

/// How much is done. A part with a number of its own does that; minutes are shared out to the
/// others.
#[derive(Debug, Args)]
pub(crate) struct RedisRun {
    /// How long the whole run takes, about.
    #[arg(long, value_parser = minutes)]
    minutes: Option<Duration>,
    /// What everything is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many writing processes are killed.
    #[arg(long)]
    kills: Option<u64>,
    /// How many servers are killed.
    #[arg(long)]
    servers: Option<u64>,
    /// How often every reply is cut at every byte (default: never).
    #[arg(long)]
    cuts: Option<u64>,
    /// How often writers meet a server that stands still.
    #[arg(long)]
    pauses: Option<u64>,
    /// How often writers meet a server that forgets its scripts.
    #[arg(long)]
    flushes: Option<u64>,
    /// How often a server has no memory left.
    #[arg(long)]
    memory: Option<u64>,
    /// How often two processes write side by side.
    #[arg(long)]
    crowds: Option<u64>,
    /// How many masters are replaced by Sentinels.
    #[arg(long)]
    sentinel: Option<u64>,
    /// How many masters are replaced in a cluster.
    #[arg(long)]
    cluster: Option<u64>,
    /// Where the figures go, as one JSON object.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// What part of the minutes each part takes, in hundredths. Cuts take as long as they take, and are
/// done where they are asked for.
const KILLS: u32 = 21;
const SERVERS: u32 = 20;
const PAUSES: u32 = 7;
const FLUSHES: u32 = 3;
const MEMORY: u32 = 5;
const CROWDS: u32 = 14;
const SENTINEL: u32 = 15;
const CLUSTER: u32 = 15;

impl RedisRun {
    pub(crate) fn run(&self) -> Outcome<()> {
        let numbers = [
            self.kills,
            self.servers,
            self.cuts,
            self.pauses,
            self.flushes,
            self.memory,
            self.crowds,
            self.sentinel,
            self.cluster,
        ];
        if self.minutes.is_none() && numbers.iter().all(Option::is_none) {
            return Err(ChaosError::NothingToDo);
        }
        let report = &mut Report::new("redis", self.seed);
        let disturb = |disturbance: Disturbance| move |seed, enough| disturbance.run(seed, enough);
        let fail_over = |kind: Kind| move |seed, enough| failovers::run(kind, seed, enough);
        if self.cuts.is_some() {
            self.part(report, "cuts", self.cuts, 0, cuts::run)?;
        }
        self.part(report, "kills", self.kills, KILLS, kills::run_redis)?;
        self.part(report, "servers", self.servers, SERVERS, server_kills::run)?;
        self.part(report, "pauses", self.pauses, PAUSES, disturb(Disturbance::Pause))?;
        self.part(report, "flushes", self.flushes, FLUSHES, disturb(Disturbance::Flush))?;
        self.part(report, "memory", self.memory, MEMORY, disturb(Disturbance::NoMemory))?;
        self.part(report, "crowds", self.crowds, CROWDS, crowds::run)?;
        self.part(report, "sentinel", self.sentinel, SENTINEL, fail_over(Kind::Sentinel))?;
        self.part(report, "cluster", self.cluster, CLUSTER, fail_over(Kind::Cluster))?;
        match &self.report {
            Some(path) => report.write(path),
            None => Ok(()),
        }
    }

    fn part<F: Serialize>(
        &self,
        report: &mut Report,
        name: &str,
        number: Option<u64>,
        hundredths: u32,
        run: impl FnOnce(u64, Enough) -> Outcome<(F, u64)>,
    ) -> Outcome<()> {
        let time = || self.minutes.map(|minutes| Enough::Time(minutes * hundredths / 100));
        let Some(enough) = number.map(Enough::Count).or_else(time) else { return Ok(()) };
        let start = Instant::now();
        let (figures, _) = run(self.seed, enough)?;
        report.add(name, self.seed, start.elapsed(), figures)
    }
}
