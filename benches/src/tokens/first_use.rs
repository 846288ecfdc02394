//! What the first count of a process costs.

use std::fs::read_to_string;
use std::process::{Command, ExitCode};
use std::time::Instant;

use memory_core::TokenCounter;
use tokens::BpeCounter;

use super::settings::Settings;
use crate::ledger::{Goal, Outcome, Reference, Section, Series};

/// The word that makes the program measure its own first count, and nothing else.
pub const FIRST_USE: &str = "count-for-the-first-time";

pub(super) fn run(settings: &Settings) -> Outcome<Section> {
    let mut reference = Reference::new();
    let mut time = Series::new("time of the first count", "ms");
    let mut memory = Series::new("memory that it takes", "MB");
    for _ in 0..settings.common.rounds {
        settings.common.begin_round(&mut reference)?;
        let output = Command::new(std::env::current_exe()?).arg(FIRST_USE).output()?;
        let text = String::from_utf8(output.stdout)?;
        let mut figures = text.split_whitespace().map(str::parse);
        let (Some(milliseconds), Some(megabytes)) = (figures.next(), figures.next()) else {
            return Err("the process that counts for the first time failed".into());
        };
        time.rounds.push(milliseconds?);
        memory.rounds.push(megabytes?);
    }
    Ok(Section {
        name: String::new(),
        title: "First use".to_owned(),
        method: "The first count of a new process, o200k_base: reading the vocabulary and making \
                 what counting needs. The memory is what the system holds for the process more \
                 than before."
            .to_owned(),
        date: String::new(),
        others: 0.0,
        verdicts: vec![
            time.verdict("time of the first count", Some(Goal::AtMost(120.0))),
            memory.verdict("memory that it takes", Some(Goal::AtMost(80.0))),
        ],
        series: vec![time, memory, reference.into_series()],
    })
}

/// Counts for the first time, and prints the milliseconds and the megabytes that it took.
///
/// # Errors
///
/// Where the system does not tell how much memory a process has.
#[expect(clippy::print_stdout, reason = "the parent process reads it")]
pub fn first_use() -> Outcome<ExitCode> {
    let before = megabytes()?;
    let start = Instant::now();
    BpeCounter::o200k_base().count("How long is the flight to Lisbon?")?;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    println!("{milliseconds:.3} {:.3}", megabytes()? - before);
    Ok(ExitCode::SUCCESS)
}

/// The memory that the system holds for this process.
fn megabytes() -> Outcome<f64> {
    let status = read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    let kibibytes: f64 = kibibytes.ok_or("the system tells no memory")?.parse()?;
    Ok(kibibytes * 1024.0 / 1e6)
}
