//! Measures what the ledger costs, and stores what was found.
//!
//! `cargo xtask bench ledger` builds and runs it, and writes the page of figures.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to people")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use benches::ledger::{Load, Machine, Outcome, Report, SECTIONS, Section, Settings};
use clap::Parser;

/// Counts allocations, for the calls whose allocations are reported.
#[global_allocator]
static ALLOCATOR: alloc_tracker::Allocator<std::alloc::System> = alloc_tracker::Allocator::system();

/// Measure what the ledger costs on the embedded store.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only these sections: overhead, writers, window, counting, exact.
    #[arg(value_name = "SECTION")]
    only: Vec<String>,
    /// Only try that everything runs; nothing is stored.
    #[arg(long)]
    quick: bool,
    /// End with exit code 1 if a goal is missed.
    #[arg(long)]
    gate: bool,
    /// How often each alternative has its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long each round waits at most for other programs to be quiet, in seconds.
    #[arg(long, default_value_t = 0)]
    patience: u64,
    /// Where the stores' files are put while measuring (default: the system's temporary directory).
    #[arg(long)]
    directory: Option<PathBuf>,
    /// The day to write down (default: today, by the machine's clock).
    #[arg(long)]
    date: Option<String>,
    /// Where to store what was found; sections that were not measured stay as they are there.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("ledger: error: {error}");
            let mut cause = error.source();
            while let Some(inner) = cause {
                eprintln!("  because: {inner}");
                cause = inner.source();
            }
            ExitCode::FAILURE
        }
    }
}

impl Arguments {
    fn run(self) -> Outcome<ExitCode> {
        if let Some(unknown) = self.only.iter().find(|name| !is_known(name)) {
            let known: Vec<_> = SECTIONS.iter().map(|(name, _)| *name).collect();
            return Err(format!("no section is named {unknown}; use {}", known.join(", ")).into());
        }
        let machine = Machine::describe()?;
        let date = match &self.date {
            Some(date) => date.clone(),
            None => Machine::today()?,
        };
        let settings = Settings {
            rounds: if self.quick { 2 } else { usize::from(self.rounds) },
            quick: self.quick,
            directory: self.directory.clone().unwrap_or_else(std::env::temp_dir),
            patience: Duration::from_secs(self.patience),
        };
        let mut sections = Vec::new();
        for (name, measure) in SECTIONS {
            if !self.only.is_empty() && !self.only.iter().any(|only| only == name) {
                continue;
            }
            let before = Load::now()?;
            let measured = measure(&settings)?;
            let others = Load::now()?.others_since(&before);
            let (name, date) = (name.to_owned(), date.clone());
            let section = Section { name, date, others, ..measured };
            println!("{}", section.to_text());
            // Stored after each section, so that a later failure loses nothing.
            if let Some(out) = self.out.as_deref().filter(|_| !self.quick) {
                store(out, &machine, &section)?;
            }
            sections.push(section);
        }
        let missed = sections.iter().any(Section::missed);
        Ok(if self.gate && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn is_known(name: &str) -> bool {
    SECTIONS.iter().any(|(known, _)| *known == name)
}

/// Puts a section into the stored report, in place of an earlier one of its name.
fn store(out: &Path, machine: &Machine, section: &Section) -> Outcome<()> {
    let mut report = match std::fs::read_to_string(out) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Report::new(machine.clone()),
        Err(error) => return Err(error.into()),
    };
    if report.machine != *machine {
        // Figures of two machines must not stand side by side.
        report = Report::new(machine.clone());
    }
    report.put(section.clone());
    std::fs::write(out, serde_json::to_string_pretty(&report)? + "\n")?;
    Ok(())
}
