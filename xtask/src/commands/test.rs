//! Every test of the workspace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::redis_server::RedisServer;
use crate::say;

/// The variable that names the folder of real conversations.
const VARIABLE: &str = "TURNLEDGER_TEST_DATA";

/// Where that folder is looked for: beside the project.
const BESIDE: &str = "shared/data";

const DOCTESTS: &str = "doctests";

/// Runs all tests and doctests; arguments go to the test runner, and both runners build the
/// examples too.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<(), Error> {
    let root = project.root();
    let data = TestData::of(project)?;
    say::step(&data.describe());
    let redis = RedisServer::ensure(project)?;
    let mut failed = Vec::new();
    let has_nextest = process::has_subcommand(root, "nextest");
    if !has_nextest {
        say::step("cargo-nextest is not installed: `cargo test` runs the tests");
    }
    let steps = steps(root, has_nextest, arguments);
    let names: Vec<&str> = steps.iter().map(|(name, _)| *name).collect();
    for (name, mut command) in steps {
        data.hand_to(&mut command);
        redis.hand_to(&mut command);
        // A failing step must not hide what the next one finds.
        if let Err(error) = process::run(name, &mut command) {
            say::error(&error);
            failed.push(name);
        }
    }
    let mut left_out = String::new();
    if data.path().is_none() {
        left_out.push_str("; left out: the replay of the real conversations");
    }
    if has_nextest && !names.contains(&DOCTESTS) {
        left_out.push_str("; left out: doctests, which take no options of nextest");
    }
    if failed.is_empty() {
        say::result(&format!("test: passed ({}){left_out}", names.join(", ")));
        Ok(())
    } else {
        say::result(&format!("test: FAILED ({}){left_out}", failed.join(", ")));
        Err(Error::Step { step: "test".to_owned(), status: failed.join(", ") })
    }
}

/// Nextest runs no doctests; `cargo test` runs them with the rest.
///
/// With arguments for nextest, which doctests do not understand, these are left out unless the
/// arguments are plain filters.
fn steps(root: &Path, has_nextest: bool, arguments: &[String]) -> Vec<(&'static str, Command)> {
    let scope = ["--workspace", "--all-features", "--locked"];
    let mut steps = Vec::new();
    if has_nextest {
        let mut tests = cargo(root, &["nextest", "run"]);
        tests.args(scope).args(arguments);
        if !arguments.is_empty() {
            // The filter may name a doctest only.
            tests.arg("--no-tests=pass");
        }
        steps.push(("tests", tests));
        if arguments.iter().all(|argument| !argument.starts_with('-')) {
            let mut doctests = cargo(root, &["test", "--doc", "--no-fail-fast"]);
            doctests.args(scope).arg("--").args(arguments);
            steps.push((DOCTESTS, doctests));
        }
    } else {
        let mut tests = cargo(root, &["test", "--no-fail-fast"]);
        tests.args(scope).arg("--").args(arguments);
        steps.push(("tests and doctests", tests));
    }
    steps
}

/// The folder of real conversations that some tests replay, and a bench.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TestData {
    /// The variable names it already.
    Named(PathBuf),
    /// It lies beside the project.
    Beside(PathBuf),
    Absent,
}

impl TestData {
    pub(super) fn of(project: &Project) -> Result<Self, Error> {
        Self::find(project.root(), std::env::var_os(VARIABLE))
    }

    fn find(root: &Path, variable: Option<OsString>) -> Result<Self, Error> {
        if let Some(path) = variable.filter(|value| !value.is_empty()).map(PathBuf::from) {
            // Tests run in the folders of their crates.
            let absolute = std::path::absolute(&path).ok().filter(|path| path.is_dir());
            return absolute.map(Self::Named).ok_or(Error::TestData { path });
        }
        let beside = root.parent().map(|folder| folder.join(BESIDE));
        Ok(match beside.filter(|path| path.is_dir()) {
            Some(path) => Self::Beside(path),
            None => Self::Absent,
        })
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Named(path) | Self::Beside(path) => Some(path),
            Self::Absent => None,
        }
    }

    pub(super) fn hand_to(&self, command: &mut Command) {
        match self.path() {
            Some(path) => command.env(VARIABLE, path),
            // An empty one names no folder.
            None => command.env_remove(VARIABLE),
        };
    }

    fn describe(&self) -> String {
        match self.path() {
            Some(path) => format!("real conversations are replayed from {}", path.display()),
            None => format!(
                "the replay of the real conversations is left out: {VARIABLE} is not set, and \
                 there is no ../{BESIDE}"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(has_nextest: bool, arguments: &[&str]) -> Vec<String> {
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        steps(Path::new("."), has_nextest, &arguments)
            .iter()
            .map(|(_, command)| {
                let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
                words.join(" ")
            })
            .collect()
    }

    const SCOPE: &str = "--workspace --all-features --locked";

    #[test]
    fn doctests_run_with_both_runners() {
        assert_eq!(
            typed(true, &[]),
            [format!("nextest run {SCOPE}"), format!("test --doc --no-fail-fast {SCOPE} --"),]
        );
        assert_eq!(typed(false, &["window"]), [format!("test --no-fail-fast {SCOPE} -- window")]);
    }

    #[test]
    fn doctests_take_filters_but_no_options_of_nextest() {
        assert_eq!(typed(true, &["window"]).len(), 2);
        assert_eq!(typed(true, &["-E", "test(window)"]).len(), 1);
    }

    #[test]
    fn the_folder_beside_the_project_is_found_and_a_named_one_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        let find = |variable: Option<&Path>| {
            TestData::find(&root, variable.map(|path| path.as_os_str().to_owned()))
        };
        assert_eq!(find(None).unwrap(), TestData::Absent);

        let beside = folder.path().join(BESIDE);
        std::fs::create_dir_all(&beside).unwrap();
        assert_eq!(find(None).unwrap(), TestData::Beside(beside.clone()));
        assert_eq!(find(Some(Path::new(""))).unwrap(), TestData::Beside(beside));

        assert_eq!(find(Some(folder.path())).unwrap(), TestData::Named(folder.path().to_owned()));
        let relative = find(Some(Path::new("src"))).unwrap();
        assert_eq!(relative.path(), Some(std::env::current_dir().unwrap().join("src").as_path()));
        let error = find(Some(&folder.path().join("gone"))).unwrap_err();
        assert!(error.to_string().contains("gone"), "{error}");
    }
}
