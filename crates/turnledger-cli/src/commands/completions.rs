//! `completions`: a script for a shell.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::error::CliError;
use crate::output::Output;

/// Prints the script.
pub(crate) fn completions(args: &CompletionsArgs, output: &mut Output) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "turnledger", &mut script);
    output.part(&String::from_utf8_lossy(&script))
}
