//! Measures how fast the ledger is on Redis, and stores what was found.
//!
//! `cargo xtask bench redis` builds and runs it, and writes the page of figures.

use std::process::ExitCode;

use benches::program::{Options, end};
use benches::redis::SECTIONS;
use clap::Parser;

/// Measure the ledger on Redis: appends, original, window, memory, settle.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let options = Arguments::parse().options;
    end("redis", options.run("cargo xtask bench redis", &SECTIONS, &options.settings()))
}
