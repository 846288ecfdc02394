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
    let mut left_out = Vec::new();
    if skip_test {
        left_out.push("the tests, as asked");
    }
    if with_full {
        left_out.extend(full::run(project)?);
    } else {
        // The long checks have a longer one.
        chaos::short(project)?;
    }
    say::result("ci: passed");
    for what in left_out {
        say::result(&format!("ci: left out: {what}"));
    }
    Ok(())
}
