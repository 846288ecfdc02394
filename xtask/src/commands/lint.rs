//! Formatting, clippy, and each feature alone.

use cargo_metadata::Package;

use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::say;

/// Checks the formatting, runs clippy, and builds each feature of each crate alone.
pub(crate) fn run(project: &Project) -> Result<(), Error> {
    let root = project.root();
    process::run("formatting", &mut cargo(root, &["fmt", "--all", "--", "--check"]))?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
        "--",
        "--deny",
        "warnings",
    ];
    process::run("clippy", &mut cargo(root, &clippy))?;
    for package in project.packages() {
        for features in feature_choices(package) {
            let step = format!("features of {}", package.name);
            let mut check = cargo(root, &["check", "--locked", "--package", &package.name]);
            check.args(["--no-default-features", "--features", &features]);
            process::run(&step, &mut check)?;
        }
    }
    say::result("lint: passed");
    Ok(())
}

/// Each feature alone, and none at all; nothing where a crate has no features.
fn feature_choices(package: &Package) -> Vec<String> {
    let mut choices: Vec<String> =
        package.features.keys().filter(|name| *name != "default").cloned().collect();
    if !package.features.is_empty() {
        choices.push(String::new());
    }
    choices
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(features: &serde_json::Value, expected: &[&str]) {
        let package: Package = serde_json::from_value(json!({
            "name": "a",
            "version": "0.1.0",
            "id": "a",
            "dependencies": [],
            "targets": [],
            "features": features,
            "manifest_path": "crates/a/Cargo.toml",
        }))
        .unwrap();
        assert_eq!(feature_choices(&package), expected);
    }

    #[test]
    fn each_feature_is_built_alone_and_none_too() {
        check(&json!({}), &[]);
        check(&json!({ "default": ["one"], "one": [], "two": [] }), &["one", "two", ""]);
        check(&json!({ "one": [] }), &["one", ""]);
    }
}
