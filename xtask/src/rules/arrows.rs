//! Dependencies between the crates of the project point down, as the architecture says.

use cargo_metadata::{Dependency, DependencyKind, Package};

use super::Finding;
use super::arrow_table::CrateRow;
use crate::project::TextFile;

/// Crates for tests: any crate may have them as dev-dependencies.
const TEST_CRATES: [&str; 2] = ["memory-testkit", "redis-testkit"];

/// One dependency of one crate of ours on another, both by their folders.
#[derive(Debug)]
pub(crate) struct Arrow {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: DependencyKind,
    pub(crate) manifest: String,
    pub(crate) line: usize,
}

/// The arrows that a package's manifest draws: its dependencies by path.
pub(crate) fn arrows_of(package: &Package, manifest: &TextFile) -> Vec<Arrow> {
    let from = package.manifest_path.parent().and_then(|folder| folder.file_name());
    package
        .dependencies
        .iter()
        .filter_map(|dependency| {
            let to = dependency.path.as_ref()?.file_name()?;
            Some(Arrow {
                from: from?.to_owned(),
                to: to.to_owned(),
                kind: dependency.kind,
                manifest: manifest.path.clone(),
                line: line_of(dependency, &manifest.text),
            })
        })
        .collect()
}

/// Finds crates without a row, rows without a crate, and arrows that no row grants.
pub(crate) fn check(
    page: &str,
    rows: &[CrateRow],
    crates: &[(String, String)],
    arrows: &[Arrow],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (folder, manifest) in crates {
        if !rows.iter().any(|row| &row.name == folder) {
            let message = format!("`{folder}` has no row in {page}; say what it may depend on");
            findings.push(Finding::new(manifest, 1, message));
        }
    }
    for row in rows {
        if !crates.iter().any(|(folder, _)| folder == &row.name) {
            let message = format!("there is no folder crates/{}; take the row out", row.name);
            findings.push(Finding::new(page, row.line, message));
        }
    }
    for arrow in arrows {
        if let Some(reason) = refusal(page, rows, arrow) {
            findings.push(Finding::new(&arrow.manifest, arrow.line, reason));
        }
    }
    findings
}

fn refusal(page: &str, rows: &[CrateRow], arrow: &Arrow) -> Option<String> {
    let Arrow { from, to, kind, .. } = arrow;
    let Some(below) = rows.iter().position(|row| &row.name == to) else {
        return Some(format!("nothing may depend on `{to}`, which has no row in {page}"));
    };
    if rows[below].reserved {
        return Some(format!(
            "nothing may depend on `{to}` while {page} calls it reserved; take the dependency out"
        ));
    }
    // What lies beside the crates, xtask and benches, has no row and may use every crate.
    let above = rows.iter().position(|row| &row.name == from)?;
    let granted = rows[above].arrows.contains(to);
    let is_for_tests = *kind == DependencyKind::Development
        && (TEST_CRATES.contains(&to.as_str()) || above < below);
    (!granted && !is_for_tests).then(|| {
        format!(
            "`{from}` may not depend on `{to}`: no such arrow in {page}; move the code, or change the architecture first"
        )
    })
}

/// The first line that begins with the dependency's name, also as `[dependencies.name]`.
fn line_of(dependency: &Dependency, manifest: &str) -> usize {
    let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
    let names_it = |line: &str| {
        let rest = line.trim_start();
        let header = format!("dependencies.{name}]");
        rest.contains(&header)
            || rest
                .strip_prefix(name.as_str())
                .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    manifest.lines().position(names_it).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "docs/architecture.md";

    fn rows() -> Vec<CrateRow> {
        let row = |name: &str, arrows: &[&str], reserved, line| CrateRow {
            name: name.to_owned(),
            arrows: arrows.iter().map(|arrow| (*arrow).to_owned()).collect(),
            reserved,
            line,
        };
        vec![
            row("facade", &["middle", "later"], false, 5),
            row("middle", &["base"], false, 6),
            row("later", &["base"], true, 7),
            row("other", &["base"], false, 8),
            row("memory-testkit", &["base"], false, 9),
            row("base", &[], false, 10),
        ]
    }

    fn crates() -> Vec<(String, String)> {
        rows()
            .into_iter()
            .map(|row| (row.name.clone(), format!("crates/{}/Cargo.toml", row.name)))
            .collect()
    }

    fn check_arrow(from: &str, to: &str, kind: DependencyKind, allowed: bool) {
        let manifest = format!("crates/{from}/Cargo.toml");
        let arrow = Arrow { from: from.to_owned(), to: to.to_owned(), kind, manifest, line: 3 };
        let findings = check(PAGE, &rows(), &crates(), &[arrow]);
        assert_eq!(findings.is_empty(), allowed, "{from} -> {to}: {findings:?}");
        assert!(findings.iter().all(|finding| finding.line() == 3));
    }

    #[test]
    fn only_granted_arrows_are_allowed() {
        use DependencyKind::{Build, Development, Normal};
        check_arrow("facade", "middle", Normal, true);
        check_arrow("middle", "base", Normal, true);
        check_arrow("middle", "base", Build, true);
        check_arrow("facade", "base", Normal, false);
        check_arrow("facade", "base", Build, false);
        check_arrow("base", "middle", Normal, false);
        check_arrow("middle", "memory-testkit", Normal, false);
        check_arrow("middle", "memory-testkit", Development, true);
        check_arrow("base", "memory-testkit", Development, true);
        check_arrow("facade", "base", Development, true);
        check_arrow("base", "middle", Development, false);
    }

    #[test]
    fn what_lies_beside_the_crates_may_use_all_that_works() {
        use DependencyKind::{Development, Normal};
        check_arrow("xtask", "base", Normal, true);
        check_arrow("benches", "middle", Development, true);
        check_arrow("benches", "later", Normal, false);
        check_arrow("middle", "xtask", Normal, false);
    }

    #[test]
    fn nothing_may_depend_on_a_reserved_crate() {
        use DependencyKind::{Development, Normal};
        check_arrow("facade", "later", Normal, false);
        check_arrow("facade", "later", Development, false);
    }

    #[test]
    fn every_crate_has_a_row_and_every_row_a_crate() {
        let mut known = crates();
        known[0] = ("new".to_owned(), "crates/new/Cargo.toml".to_owned());
        let found: Vec<_> =
            check(PAGE, &rows(), &known, &[]).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("crates/new/Cargo.toml:1: `new` has no row"));
        assert!(found[1].starts_with("docs/architecture.md:5: there is no folder crates/facade"));
    }

    #[test]
    fn arrows_are_read_from_the_metadata_of_a_real_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let base =
            "[package]\nname = \"prefix-base\"\nversion = \"0.1.0\"\n[lib]\nname = \"base\"\n";
        let middle = "[package]\nname = \"middle\"\nversion = \"0.1.0\"\n\n[dev-dependencies]\nbase.workspace = true\n";
        write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n[workspace.dependencies]\n\
             base = { path = \"crates/base\", package = \"prefix-base\" }\n",
        );
        write("crates/base/Cargo.toml", base);
        write("crates/base/src/lib.rs", "");
        write("crates/middle/Cargo.toml", middle);
        write("crates/middle/src/lib.rs", "");
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(folder.path().join("Cargo.toml"))
            .no_deps()
            .exec()
            .unwrap();
        let package = metadata.packages.iter().find(|package| package.name == "middle").unwrap();
        let manifest = TextFile { path: "crates/middle/Cargo.toml".into(), text: middle.into() };

        let arrows = arrows_of(package, &manifest);

        let [arrow] = &arrows[..] else { panic!("one arrow expected: {arrows:?}") };
        assert_eq!((&*arrow.from, &*arrow.to, arrow.line), ("middle", "base", 6));
        assert_eq!(arrow.kind, DependencyKind::Development);
    }
}
