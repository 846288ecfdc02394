//! What the programs that measure have in common: their options, and how they store what they find.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to people")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::ledger::{Load, Machine, Outcome, Report, Section, Settings};

/// A section's short name, and what measures it.
pub type Measurement<S> = (&'static str, fn(&S) -> Outcome<Section>);

/// The options of every program that measures.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only these sections.
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
    /// Where files are put while measuring (default: the system's temporary directory).
    #[arg(long)]
    directory: Option<PathBuf>,
    /// The day to write down (default: today, by the machine's clock).
    #[arg(long)]
    date: Option<String>,
    /// Where to store what was found; sections that were not measured stay as they are there.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Options {
    /// How much is to be measured, and where.
    pub fn settings(&self) -> Settings {
        Settings {
            rounds: if self.quick { 2 } else { usize::from(self.rounds) },
            quick: self.quick,
            directory: self.directory.clone().unwrap_or_else(std::env::temp_dir),
            patience: Duration::from_secs(self.patience),
        }
    }

    /// Whether a section of this name is to be measured.
    pub fn is_wanted(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// Measures the sections that are wanted, shows what was found, and stores it; `command` is
    /// what was typed.
    ///
    /// # Errors
    ///
    /// Where a section has no such name, cannot be measured, or cannot be stored.
    pub fn run<S>(
        &self,
        command: &str,
        sections: &[Measurement<S>],
        settings: &S,
    ) -> Outcome<ExitCode> {
        let known: Vec<_> = sections.iter().map(|(name, _)| *name).collect();
        if let Some(unknown) = self.only.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("no section is named {unknown}; use {}", known.join(", ")).into());
        }
        let machine = Machine::describe()?;
        let date = match &self.date {
            Some(date) => date.clone(),
            None => Machine::today()?,
        };
        let mut missed = false;
        for (name, measure) in sections.iter().filter(|(name, _)| self.is_wanted(name)) {
            let before = Load::now()?;
            let measured = measure(settings)?;
            let others = Load::now()?.others_since(&before);
            let (name, date) = ((*name).to_owned(), date.clone());
            let section = Section { name, date, others, ..measured };
            println!("{}", section.to_text());
            missed |= section.missed();
            // Stored after each section, so that a later failure loses nothing.
            if let Some(out) = self.out.as_deref().filter(|_| !self.quick) {
                store(out, Report::new(command, machine.clone()), section, &known)?;
            }
        }
        Ok(if self.gate && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// The exit code of a program; an error is shown with what caused it.
pub fn end(program: &str, outcome: Outcome<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        eprintln!("{program}: error: {error}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            eprintln!("  because: {inner}");
            cause = inner.source();
        }
        ExitCode::FAILURE
    })
}

/// Puts a section into the stored report, in place of an earlier one of its name.
fn store(out: &Path, empty: Report, section: Section, order: &[&str]) -> Outcome<()> {
    let mut report = match std::fs::read_to_string(out) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(error) if error.kind() == ErrorKind::NotFound => empty.clone(),
        Err(error) => return Err(error.into()),
    };
    if report.machine != empty.machine {
        // Figures of two machines must not stand side by side.
        report = empty;
    }
    report.put(section, order);
    std::fs::write(out, serde_json::to_string_pretty(&report)? + "\n")?;
    Ok(())
}
