//! Measures how fast the Redis pool is, and stores what was found.
//!
//! `cargo xtask bench pool` builds and runs it, and writes the page of figures.

use std::process::ExitCode;

use benches::pool::SECTIONS;
use benches::program::{Options, end};
use clap::Parser;

/// Measure the Redis pool beside others: sequential, lanes, scripted.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let options = Arguments::parse().options;
    end("pool", options.run("cargo xtask bench pool", &SECTIONS, &options.settings()))
}
