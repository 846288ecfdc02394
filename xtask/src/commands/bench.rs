//! Running the benches.

use super::bench_stored::STORED;
use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::say;

/// The package that holds the benches.
pub(super) const PACKAGE: &str = "benches";

/// Runs one bench, or lists all where none is named.
pub(crate) fn run(
    project: &Project,
    name: Option<&str>,
    arguments: &[String],
    from_stored: bool,
) -> Result<(), Error> {
    if let Some(stored) = STORED.iter().find(|stored| name == Some(stored.name)) {
        return stored.run(project, arguments, from_stored);
    }
    let known = known_benches(project);
    let Some(name) = name else {
        say::result(&listing(&known));
        return Ok(());
    };
    if !known.iter().any(|bench| bench == name) {
        return Err(Error::UnknownBench { name: name.to_owned(), known: known.join(", ") });
    }
    let mut bench =
        cargo(project.root(), &["bench", "--locked", "--package", PACKAGE, "--bench", name]);
    bench.arg("--").args(arguments);
    process::run("bench", &mut bench)
}

fn known_benches(project: &Project) -> Vec<String> {
    let mut names: Vec<String> = project
        .packages()
        .iter()
        .filter(|package| package.name == PACKAGE)
        .flat_map(|package| &package.targets)
        .filter(|target| target.is_bench())
        .map(|target| target.name.clone())
        .chain(STORED.iter().map(|stored| stored.name.to_owned()))
        .collect();
    names.sort();
    names
}

fn listing(known: &[String]) -> String {
    let lines: Vec<String> =
        known.iter().map(|name| format!("  cargo xtask bench {name}")).collect();
    format!("benches:\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_shows_what_to_type() {
        let known = ["append".to_owned(), "window".to_owned()];
        assert_eq!(
            listing(&known),
            "benches:\n  cargo xtask bench append\n  cargo xtask bench window"
        );
        assert!(known_benches(&Project::load().unwrap()).iter().any(|name| name == "ledger"));
    }

    #[test]
    fn an_unknown_bench_is_an_error_that_names_it() {
        let project = Project::load().unwrap();
        let error = run(&project, Some("no-such-bench"), &[], false).unwrap_err();
        assert!(error.to_string().starts_with("no bench is named `no-such-bench`"), "{error}");
    }
}
