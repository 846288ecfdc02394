//! The `turnledger` binary: conversation memory for LLM agents on the command line.

mod app;
mod args;
mod commands;
mod error;
mod input;
mod interrupts;
mod output;
mod progress;
mod session;
mod stop;

use std::process::ExitCode;

fn main() -> ExitCode {
    app::run(std::env::args_os())
}
