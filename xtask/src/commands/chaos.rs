//! Holding a store to its promises while processes die, disks fail and power goes.

use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::redis_server::RedisServer;

/// A profile of its own: as quick as a release, and built sooner, because nothing is optimised
/// across crates.
const PROGRAM: [&str; 9] =
    ["run", "--locked", "--profile", "chaos", "--package", "benches", "--bin", "chaos", "--"];

/// What is run for every change.
const SHORT: [[&str; 5]; 2] =
    [["embedded", "--minutes", "2", "--seed", "1"], ["redis", "--kills", "60", "--seed", "1"]];
/// What is run before a release, and from time to time.
const LONG: [[&str; 5]; 2] =
    [["embedded", "--minutes", "10", "--seed", "2"], ["redis", "--minutes", "10", "--seed", "2"]];

/// Runs the harness with these arguments.
pub(crate) fn run(project: &Project, arguments: &[impl AsRef<str>]) -> Result<(), Error> {
    let mut chaos = cargo(project.root(), &PROGRAM);
    chaos.args(arguments.iter().map(AsRef::as_ref));
    if arguments.first().is_some_and(|store| store.as_ref() == "redis") {
        RedisServer::ensure(project)?.hand_to(&mut chaos);
    }
    process::run("chaos", &mut chaos)
}

/// Runs of a little more than two minutes together: on Redis, writers are killed.
pub(super) fn short(project: &Project) -> Result<(), Error> {
    SHORT.iter().try_for_each(|arguments| run(project, arguments))
}

/// Runs of about ten minutes for each store.
pub(super) fn long(project: &Project) -> Result<(), Error> {
    LONG.iter().try_for_each(|arguments| run(project, arguments))
}
