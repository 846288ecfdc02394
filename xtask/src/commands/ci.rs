//! Everything that must hold before a change is taken.

use super::{chaos, docs, full, lint, test, tidy};
use crate::error::Error;
use crate::project::Project;
use crate::say;

/// Runs lint, tidy, docs, test and a short chaos run, the cheap ones first, and stops at the first
/// that fails.
pub(crate) fn run(project: &Project, skip_test: bool, with_full: bool) -> Result<(), Error> {
    lint::run(project)?;
    tidy::run(project)?;
    docs::run(project)?;
    if !skip_test {
        test::run(project, &[])?;
    }
    // The long checks have a longer one.
    if with_full { full::run(project) } else { chaos::short(project) }?;
    let left_out = if skip_test { ", the tests left out as asked" } else { "" };
    say::result(&format!("ci: passed{left_out}"));
    Ok(())
}
