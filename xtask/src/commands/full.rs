//! What takes too long for every change: run before a release, and from time to time.

use std::path::Path;
use std::process::{Command, Stdio};

use super::bench_stored::COMPETITORS;
use super::{chaos, hostile};
use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::say;

/// The crate whose tests must notice a changed line: it decides what a window holds.
const CRITICAL: &str = "turnledger-memory-core";

/// The files of that crate that are changed on purpose, to see a test fail.
const CRITICAL_FILES: [&str; 3] = [
    "crates/memory-core/src/framing.rs",
    "crates/memory-core/src/groups.rs",
    "crates/memory-core/src/window.rs",
];

/// Runs the long checks, and returns what had to be left out; harnesses that run for minutes are
/// added at the end of this list.
pub(super) fn run(project: &Project) -> Result<Vec<&'static str>, Error> {
    let root = project.root();
    let mut left_out = Vec::new();
    feature_powerset(root)?;
    other_tokenizers(root)?;
    left_out.extend(dependencies(root)?);
    left_out.extend(public_api(root)?);
    mutants(root)?;
    chaos::long(project)?;
    left_out.extend(hostile::long(project)?);
    Ok(left_out)
}

fn feature_powerset(root: &Path) -> Result<(), Error> {
    ensure(root, "hack")?;
    let arguments =
        ["hack", "check", "--workspace", "--feature-powerset", "--depth", "2", "--locked"];
    process::run("feature powerset", &mut cargo(root, &arguments))
}

/// They are no part of the workspace, so nothing else builds them.
fn other_tokenizers(root: &Path) -> Result<(), Error> {
    let clippy = ["clippy", "--manifest-path", COMPETITORS, "--", "--deny", "warnings"];
    process::run("other tokenizers", &mut cargo(root, &clippy))
}

fn dependencies(root: &Path) -> Result<Option<&'static str>, Error> {
    ensure(root, "deny")?;
    let deny = ["deny", "--all-features", "check"];
    let own = ["bans", "licenses", "sources"];
    process::run("licences and sources", cargo(root, &deny).args(own))?;
    // The advisories come over the network, so what needs none is told first.
    let fetched = process::run("fetching advisories", &mut cargo(root, &["deny", "fetch", "db"]));
    if let Err(error) = fetched {
        say::error(&error);
        return Ok(Some("advisories, because they cannot be fetched"));
    }
    process::run("advisories", cargo(root, &deny).arg("advisories"))?;
    Ok(None)
}

/// Releases are tagged `v1.2.3`; the newest tag is what the public API is compared with.
fn public_api(root: &Path) -> Result<Option<&'static str>, Error> {
    let Some(baseline) = newest_release(root) else {
        return Ok(Some("the public API's changes, because no release is tagged yet"));
    };
    ensure(root, "semver-checks")?;
    let arguments = ["semver-checks", "--workspace", "--baseline-rev", &baseline];
    process::run("public API", &mut cargo(root, &arguments))?;
    Ok(None)
}

fn newest_release(root: &Path) -> Option<String> {
    let output = Command::new("git")
        .current_dir(root)
        .args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"])
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|tag| tag.trim().to_owned())
}

fn mutants(root: &Path) -> Result<(), Error> {
    ensure(root, "mutants")?;
    let mut mutants = cargo(root, &["mutants", "--package", CRITICAL]);
    for file in CRITICAL_FILES {
        mutants.args(["--file", file]);
    }
    process::run("mutants", &mut mutants)
}

/// Installs a cargo subcommand that is missing.
fn ensure(root: &Path, subcommand: &str) -> Result<(), Error> {
    if process::has_subcommand(root, subcommand) {
        return Ok(());
    }
    let package = format!("cargo-{subcommand}");
    process::run(
        &format!("installing {package}"),
        &mut cargo(root, &["install", "--locked", &package]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_critical_files_are_there() {
        let project = Project::load().unwrap();
        let files = project.files().unwrap();
        // A file that moved would leave no mutants, and no mutants is no failure.
        for file in CRITICAL_FILES {
            assert!(files.contains(file), "{file} moved: name its new place");
        }
    }

    #[test]
    fn the_newest_tag_of_a_release_is_the_baseline() {
        let folder = tempfile::tempdir().unwrap();
        let git = |arguments: &[&str]| {
            let status = Command::new("git")
                .current_dir(folder.path())
                .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
                .args(["-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"])
                .args(arguments)
                .stdout(Stdio::null())
                .status();
            status.is_ok_and(|status| status.success())
        };
        // Where there is no git, there is no baseline either.
        if git(&["init", "--quiet"]) {
            assert!(git(&["commit", "--quiet", "--allow-empty", "--message", "One"]));
            assert!(git(&["tag", "other"]));
            assert_eq!(newest_release(folder.path()), None);
            assert!(git(&["tag", "v0.1.0"]));
            assert_eq!(newest_release(folder.path()).as_deref(), Some("v0.1.0"));
        }
    }
}
