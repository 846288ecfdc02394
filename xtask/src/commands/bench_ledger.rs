//! The bench of the ledger: it stores what it finds, and the page of figures is made from that.

use std::ffi::OsStr;
use std::fs;

use super::bench_page::page;
use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::say;

/// What the bench is called: a program, where the other benches are criterion's.
pub(super) const NAME: &str = "ledger";
/// Where it stores what it finds.
const RESULTS: &str = "benches/results/ledger.json";
/// The page that shows it.
const PAGE: &str = "docs/benchmarks.md";

/// Measures, unless the stored results are to do, and writes the page from what is stored.
pub(super) fn run(project: &Project, arguments: &[String], from_stored: bool) -> Result<(), Error> {
    let measured = if from_stored { Ok(()) } else { measure(project, arguments) };
    // A missed goal is a failure, and what was found belongs on the page all the same.
    if project.root().join(RESULTS).is_file() {
        let path = project.root().join(PAGE);
        fs::write(&path, stored_page(project)?).map_err(|source| Error::Write { path, source })?;
        say::result(&format!("{PAGE} shows what {RESULTS} holds"));
    } else if from_stored {
        // Says what is missing, and where.
        project.read(RESULTS)?;
    }
    measured
}

fn measure(project: &Project, arguments: &[String]) -> Result<(), Error> {
    let mut bench = cargo(project.root(), &["run", "--release", "--locked"]);
    bench.args(["--package", super::bench::PACKAGE, "--bin", NAME, "--"]);
    bench.args([OsStr::new("--out"), project.root().join(RESULTS).as_os_str()]).args(arguments);
    process::run("bench", &mut bench)
}

/// The page that the stored results give.
fn stored_page(project: &Project) -> Result<String, Error> {
    let results = project.read(RESULTS)?;
    let results = serde_json::from_str(&results.text)
        .map_err(|source| Error::Results { path: project.root().join(RESULTS), source })?;
    Ok(page(&results))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_what_is_stored() {
        let project = Project::load().unwrap();
        let page = project.read(PAGE).unwrap();
        assert!(
            page.text == stored_page(&project).unwrap(),
            "run `cargo xtask bench ledger --from-stored`"
        );
    }
}
