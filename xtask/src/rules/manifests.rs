//! What every crate takes from the workspace.

use toml::{Table, Value};

use super::Finding;
use crate::project::TextFile;

/// What a package inherits, so that it is said once.
const INHERITED: [&str; 4] = ["version", "edition", "rust-version", "license"];

/// Finds a manifest that sets for itself what the workspace sets for all.
pub(crate) fn check(manifest: &TextFile) -> Vec<Finding> {
    let table: Table = match manifest.text.parse() {
        Ok(table) => table,
        Err(error) => {
            let message = format!("does not parse as TOML ({}); mend it", error.message());
            return vec![Finding::new(&manifest.path, 1, message)];
        }
    };
    let package = table.get("package");
    let mut findings: Vec<Finding> = INHERITED
        .into_iter()
        .filter(|key| !inherits(package.and_then(|package| package.get(key))))
        .map(|key| {
            let line = line_starting(&manifest.text, key)
                .or_else(|| line_starting(&manifest.text, "[package]"));
            let message = format!("does not inherit; write `{key}.workspace = true`");
            Finding::new(&manifest.path, line.unwrap_or(1), message)
        })
        .collect();
    if !inherits(table.get("lints")) {
        let line = line_starting(&manifest.text, "[lints").unwrap_or(1);
        let message = "does not inherit the lints; write `[lints]` with `workspace = true`";
        findings.push(Finding::new(&manifest.path, line, message));
    }
    findings
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

fn line_starting(text: &str, start: &str) -> Option<usize> {
    text.lines().position(|line| line.starts_with(start)).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
                        rust-version.workspace = true\nlicense.workspace = true\n\n[lints]\nworkspace = true\n";

    fn check_text(text: &str, expected: &[usize]) {
        let file = TextFile { path: "crates/a/Cargo.toml".to_owned(), text: text.to_owned() };
        let lines: Vec<_> = check(&file).iter().map(Finding::line).collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn a_manifest_inherits_every_key_and_the_lints() {
        check_text(GOOD, &[]);
        check_text(&GOOD.replace("edition.workspace = true", "edition = \"2024\""), &[4]);
        check_text(&GOOD.replace("license.workspace = true\n", ""), &[1]);
        check_text(
            &GOOD.replace("rust-version.workspace = true\n", "rust-version.workspace = false\n"),
            &[5],
        );
        check_text(&GOOD.replace("[lints]\nworkspace = true\n", ""), &[1]);
        check_text(
            &GOOD
                .replace("[lints]\nworkspace = true\n", "[lints.rust]\nunsafe_code = \"forbid\"\n"),
            &[8],
        );
        check_text("[package\n", &[1]);
    }
}
