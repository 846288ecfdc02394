//! What a run is told, and its parts one after the other.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};

use super::budget::Enough;
use super::error::{ChaosError, Outcome};
use super::redis::RedisRun;
use super::report::Report;
use super::{histories, kills, power, responsiveness, say};

/// Holds a store to its promises while everything around it fails.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The store in one file.
    Embedded(Run),
    /// The store on Redis, with servers that the harness starts.
    Redis(RedisRun),
    /// Writes until it is killed, as told on standard input.
    #[command(hide = true)]
    Write,
}

/// How much is done. A part with a number of its own does that; minutes are shared out to the
/// others.
#[derive(Debug, Args)]
struct Run {
    /// How long the whole run takes, about.
    #[arg(long, value_parser = minutes)]
    minutes: Option<Duration>,
    /// What everything is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many processes are killed.
    #[arg(long)]
    kills: Option<u64>,
    /// How often power is lost.
    #[arg(long)]
    losses: Option<u64>,
    /// How many disks fail.
    #[arg(long)]
    faults: Option<u64>,
    /// How many histories are compared.
    #[arg(long)]
    histories: Option<u64>,
    /// How long the ticker runs beside the counting, in seconds; 0 leaves it out.
    #[arg(long)]
    responsiveness: Option<u64>,
    /// Where the files are written (default: the memory's own file system where there is one, else
    /// the folder for temporary files).
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Where the figures go, as one JSON object.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Embedded(run) => run.run(),
        Command::Redis(run) => run.run(),
        Command::Write => kills::write(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// What part of the minutes each part takes, in hundredths.
const KILLS: u32 = 44;
const LOSSES: u32 = 22;
const FAULTS: u32 = 6;
const HISTORIES: u32 = 22;
const RESPONSIVENESS: u32 = 6;

/// Longer tells nothing new.
const LONGEST_TICKING: Duration = Duration::from_secs(30);

impl Run {
    fn run(&self) -> Outcome<()> {
        let numbers = [self.kills, self.losses, self.faults, self.histories, self.responsiveness];
        if self.minutes.is_none() && numbers.iter().all(Option::is_none) {
            return Err(ChaosError::NothingToDo);
        }
        let seed = self.seed;
        let mut report = Report::new("embedded", seed);
        let directory = self.directory.clone().unwrap_or_else(directory);
        if let Some(enough) = self.enough(self.kills, KILLS) {
            let start = Instant::now();
            let (figures, _) = kills::run(seed, enough, &directory)?;
            report.add("kills", seed, start.elapsed(), figures)?;
        }
        if let Some(enough) = self.enough(self.losses, LOSSES) {
            let start = Instant::now();
            let (figures, _) = power::run_losses(seed, enough)?;
            report.add("losses", seed, start.elapsed(), figures)?;
        }
        if let Some(enough) = self.enough(self.faults, FAULTS) {
            let start = Instant::now();
            let (figures, _) = quietly(|| power::run_faults(seed, enough))?;
            report.add("faults", seed, start.elapsed(), figures)?;
        }
        if let Some(enough) = self.enough(self.histories, HISTORIES) {
            let start = Instant::now();
            let (figures, _) = histories::run(seed, enough)?;
            report.add("histories", seed, start.elapsed(), figures)?;
        }
        let ticking = self.responsiveness.map(Duration::from_secs);
        let ticking = ticking.or_else(|| self.share(RESPONSIVENESS));
        if let Some(time) = ticking.filter(|time| !time.is_zero()) {
            let start = Instant::now();
            let figures = responsiveness::run(time.min(LONGEST_TICKING))?;
            report.add("responsiveness", seed, start.elapsed(), figures)?;
        }
        match &self.report {
            Some(path) => report.write(path),
            None => Ok(()),
        }
    }

    fn enough(&self, number: Option<u64>, hundredths: u32) -> Option<Enough> {
        let time = || self.share(hundredths).map(Enough::Time);
        number.map(Enough::Count).or_else(time)
    }

    fn share(&self, hundredths: u32) -> Option<Duration> {
        self.minutes.map(|minutes| minutes * hundredths / 100)
    }
}

pub(super) fn minutes(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| format!("`{text}` is no number of minutes"))?;
    let within = (0.0..=100_000.0).contains(&number) && number > 0.0;
    let expected = || format!("`{text}` minutes: give more than 0, and at most 100000");
    within.then(|| Duration::from_secs_f64(number * 60.0)).ok_or_else(expected)
}

/// Files in memory are written sooner, and a kill leaves as much of them.
fn directory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if tempfile::tempfile_in(memory).is_ok() { memory.into() } else { std::env::temp_dir() }
}

/// Runs what makes the database panic on the store's own threads, which catch that, without a
/// word of those panics. Any other panic is told as usual.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let before = std::panic::take_hook();
    let before = std::sync::Arc::new(before);
    let usual = std::sync::Arc::clone(&before);
    std::panic::set_hook(Box::new(move |panic| {
        let is_caught = std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with("turnledger-embedded"));
        if !is_caught {
            usual(panic);
        }
    }));
    let done = work();
    drop(std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| before(panic)));
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn minutes_are_above_zero() {
        assert_eq!(minutes("0.5"), Ok(Duration::from_secs(30)));
        for wrong in ["0", "-1", "NaN", "soon"] {
            assert!(minutes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_come_before_minutes() {
        let words = ["chaos", "embedded", "--minutes", "10", "--kills", "7"];
        let Command::Embedded(run) = Arguments::parse_from(words).command else {
            panic!("`embedded` parsed as another command");
        };
        assert!(matches!(run.enough(run.kills, KILLS), Some(Enough::Count(7))));
        let time = Duration::from_secs(132);
        assert!(
            matches!(run.enough(run.losses, LOSSES), Some(Enough::Time(found)) if found == time)
        );
    }
}
