//! Measures what the ledger costs, and stores what was found.
//!
//! `cargo xtask bench ledger` builds and runs it, and writes the page of figures.

use std::process::ExitCode;

use benches::ledger::SECTIONS;
use benches::program::{Options, end};
use clap::Parser;

/// Counts allocations, for the calls whose allocations are reported.
#[global_allocator]
static ALLOCATOR: alloc_tracker::Allocator<std::alloc::System> = alloc_tracker::Allocator::system();

/// Measure what the ledger costs on the embedded store: overhead, writers, window, counting, exact.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    let options = Arguments::parse().options;
    end("ledger", options.run("cargo xtask bench ledger", &SECTIONS, &options.settings()))
}
