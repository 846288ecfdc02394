//! All rules over the whole project.

use std::collections::BTreeSet;

use super::shown_settings;
use crate::error::Error;
use crate::project::{Project, TextFile};
use crate::rules::{
    Finding, arrow_table, arrows, file_size, flat_variables, leftovers, machine_paths, manifests,
    metric_names, module_files, settings, sleeping_tests,
};
use crate::say;
use crate::source;

/// The page that grants the arrows between crates.
const ARCHITECTURE: &str = "docs/architecture.md";

/// Holds the project to its rules, and lists every finding.
pub(crate) fn run(project: &Project) -> Result<(), Error> {
    let files = project.files()?;
    let mut findings = check_source(project, &files)?;
    findings.extend(check_manifests(project, &files)?);
    for path in &files {
        if let Some(file) = project.read_if_text(path)? {
            findings.extend(machine_paths::check(&file));
        }
    }
    let summary = format!("{} files", files.len());
    match check_settings(project, &files) {
        Ok(more) => findings.extend(more),
        Err(error) => {
            // A program that does not build must not hide what was found without it.
            report("tidy without the settings", &summary, findings)?;
            return Err(error);
        }
    }
    report("tidy", &summary, findings)
}

/// Prints the findings in order, or that there is none.
pub(super) fn report(
    check: &'static str,
    summary: &str,
    mut findings: Vec<Finding>,
) -> Result<(), Error> {
    findings.sort();
    for finding in &findings {
        say::result(&finding.to_string());
    }
    match findings.len() {
        0 => {
            say::result(&format!("{check}: nothing to mend in {summary}"));
            Ok(())
        }
        count => Err(Error::Findings { check, count }),
    }
}

fn check_source(project: &Project, files: &BTreeSet<String>) -> Result<Vec<Finding>, Error> {
    let (parsed, mut findings) = source::parse_all(project.read_all(files, "rs")?);
    for file in &parsed {
        findings.extend(file_size::check(file));
        findings.extend(module_files::check(file));
        findings.extend(leftovers::check(file));
        findings.extend(sleeping_tests::check(file));
    }
    let page = read_if_there(project, files, metric_names::PAGE)?;
    findings.extend(metric_names::check(&parsed, page.as_ref()));
    findings.extend(flat_variables::check(&parsed, &settings_pages(project, files)?));
    Ok(findings)
}

fn check_manifests(project: &Project, files: &BTreeSet<String>) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    let mut crates = Vec::new();
    let mut drawn = Vec::new();
    for package in project.packages() {
        let manifest = project.read(&project.relative(package.manifest_path.as_std_path()))?;
        findings.extend(manifests::check(&manifest));
        drawn.extend(arrows::arrows_of(package, &manifest));
        if let Some(folder) =
            manifest.path.strip_prefix("crates/").and_then(|path| path.strip_suffix("/Cargo.toml"))
        {
            crates.push((folder.to_owned(), manifest.path.clone()));
        }
    }
    let Some(page) = read_if_there(project, files, ARCHITECTURE)? else {
        findings.push(Finding::new(
            ARCHITECTURE,
            1,
            "is missing; list the crates and their arrows",
        ));
        return Ok(findings);
    };
    match arrow_table::read(&page) {
        Ok(rows) => {
            findings.extend(arrow_table::check(ARCHITECTURE, &rows));
            findings.extend(arrows::check(ARCHITECTURE, &rows, &crates, &drawn));
        }
        Err(finding) => findings.push(finding),
    }
    Ok(findings)
}

fn check_settings(project: &Project, files: &BTreeSet<String>) -> Result<Vec<Finding>, Error> {
    let shown = shown_settings::read(project)?;
    Ok(settings::check(&shown, &settings_pages(project, files)?))
}

fn settings_pages(project: &Project, files: &BTreeSet<String>) -> Result<Vec<TextFile>, Error> {
    let mut pages = project.read_all(files, "md")?;
    pages.retain(|page| page.path.starts_with(settings::FOLDER));
    Ok(pages)
}

fn read_if_there(
    project: &Project,
    files: &BTreeSet<String>,
    path: &str,
) -> Result<Option<TextFile>, Error> {
    if files.contains(path) { project.read(path).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_fail_the_check_and_none_passes_it() {
        assert!(report("tidy", "1 file", Vec::new()).is_ok());
        let found = vec![Finding::new("a", 1, "mend it"), Finding::new("b", 2, "mend it")];
        let error = report("tidy", "1 file", found).unwrap_err();
        assert_eq!(error.to_string(), "tidy found 2 to mend, listed above");
    }
}
