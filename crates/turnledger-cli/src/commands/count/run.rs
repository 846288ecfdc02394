//! From the arguments to one of both ways to count.

use std::path::PathBuf;

use super::choice::choose;
use super::{files, lines};
use crate::args::{CountArgs, GlobalArgs};
use crate::error::{CliError, Outcome};
use crate::output::Output;

/// Counts files, or the lines of files.
pub(crate) fn count(
    args: &CountArgs,
    global: &GlobalArgs,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let choice = choose(args, global)?;
    let standard_input = [PathBuf::from("-")];
    let paths = if args.files.is_empty() { &standard_input } else { args.files.as_slice() };
    if args.jsonl {
        lines::count(paths, args.estimate, &choice, output)
    } else {
        files::count(paths, args, &choice, output)
    }
}
