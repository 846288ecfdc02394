//! Measures how fast tokens are counted, and stores what was found.
//!
//! `cargo xtask bench tokens` builds and runs it, and writes the page of figures.

use std::path::PathBuf;
use std::process::ExitCode;

use benches::ledger::Outcome;
use benches::program::{Options, end};
use benches::tokens::{FIRST_USE, SECTIONS, Settings, first_use};
use clap::Parser;

/// Measure how fast tokens are counted: competitors, threads, first-use, hostile, estimator, submit.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// The folder with a text of each kind, which `cargo xtask corpus` makes.
    #[arg(long)]
    corpus: PathBuf,
    /// The program that counts with other tokenizers, from the folder `benches/competitors`.
    #[arg(long)]
    competitors: Option<PathBuf>,
}

fn main() -> ExitCode {
    // A process that does nothing but count for the first time.
    if std::env::args().nth(1).is_some_and(|word| word == FIRST_USE) {
        return end("tokens", first_use());
    }
    end("tokens", run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Outcome<ExitCode> {
    let Arguments { options, corpus, competitors } = arguments;
    let settings = Settings::new(options.settings(), corpus, competitors.as_deref())?;
    options.run("cargo xtask bench tokens", &SECTIONS, &settings)
}
