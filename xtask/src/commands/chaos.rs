//! Holding a store to its promises while processes die, disks fail and power goes.

use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;

/// A profile of its own: as quick as a release, and built sooner, because nothing is optimised
/// across crates.
const PROGRAM: [&str; 9] =
    ["run", "--locked", "--profile", "chaos", "--package", "benches", "--bin", "chaos", "--"];

/// What is run for every change.
const SHORT: [&str; 5] = ["embedded", "--minutes", "2", "--seed", "1"];
/// What is run before a release, and from time to time.
const LONG: [&str; 5] = ["embedded", "--minutes", "10", "--seed", "2"];

/// Runs the harness with these arguments.
pub(crate) fn run(project: &Project, arguments: &[impl AsRef<str>]) -> Result<(), Error> {
    let mut chaos = cargo(project.root(), &PROGRAM);
    chaos.args(arguments.iter().map(AsRef::as_ref));
    process::run("chaos", &mut chaos)
}

/// A run of about two minutes.
pub(super) fn short(project: &Project) -> Result<(), Error> {
    run(project, &SHORT)
}

/// A run of about ten minutes.
pub(super) fn long(project: &Project) -> Result<(), Error> {
    run(project, &LONG)
}
