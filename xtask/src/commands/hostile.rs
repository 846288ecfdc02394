//! Comparing the counters with the reference over hostile texts and the corpus.

use std::path::Path;

use super::corpus;
use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::say;

/// Built like the harnesses that run for minutes.
const PROGRAM: [&str; 9] = [
    "run",
    "--locked",
    "--profile",
    "chaos",
    "--package",
    "turnledger-tokens",
    "--example",
    "hostile",
    "--",
];

/// What is run before a release, and from time to time.
const LONG_STRINGS: u64 = 10_000_000;
const LONG_SEED: u64 = 2;

/// Runs so many strings of this seed, after the texts of the corpus where one is named.
pub(crate) fn run(
    project: &Project,
    strings: u64,
    seed: u64,
    corpus: Option<&Path>,
) -> Result<(), Error> {
    let mut hostile = cargo(project.root(), &PROGRAM);
    hostile.args(["--strings", &strings.to_string(), "--seed", &seed.to_string()]);
    if let Some(folder) = corpus {
        let folder = std::path::absolute(folder)
            .map_err(|source| Error::Read { path: folder.to_owned(), source })?;
        hostile.arg("--corpus").arg(folder);
    }
    process::run("hostile", &mut hostile)
}

/// A run of some minutes, and what had to be left out of it.
pub(super) fn long(project: &Project) -> Result<Option<&'static str>, Error> {
    let corpus = corpus::ensure(project);
    if let Err(error) = &corpus {
        say::error(error);
    }
    run(project, LONG_STRINGS, LONG_SEED, corpus.as_deref().ok())?;
    let left_out = "the corpus, because it cannot be made here";
    Ok(corpus.is_err().then_some(left_out))
}
