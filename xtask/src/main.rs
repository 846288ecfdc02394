//! The project's own commands.
//!
//! `cargo xtask lint|test|bench|docs|tidy|ci` is the one door to everything that is checked here,
//! on a contributor's machine and in CI alike.

mod cli;
mod commands;
mod error;
mod markdown;
mod process;
mod project;
mod redis_server;
mod rules;
mod say;
mod source;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&error);
            ExitCode::FAILURE
        }
    }
}
