//! Every relative link of a page leads to something that is there.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::markdown::{anchors, links};
use crate::project::TextFile;

/// Finds relative links to files and headings that do not exist.
pub(crate) fn check(pages: &[TextFile], files: &BTreeSet<String>) -> Vec<Finding> {
    let headings: BTreeMap<&str, BTreeSet<String>> =
        pages.iter().map(|page| (page.path.as_str(), anchors(&page.text))).collect();
    let mut findings = Vec::new();
    for page in pages {
        for link in links(&page.text) {
            if let Some(problem) = problem(&page.path, &link.target, files, &headings) {
                findings.push(Finding::new(&page.path, link.line, problem));
            }
        }
    }
    findings
}

fn problem(
    page: &str,
    target: &str,
    files: &BTreeSet<String>,
    headings: &BTreeMap<&str, BTreeSet<String>>,
) -> Option<String> {
    if has_scheme(target) {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    if path.starts_with('/') {
        return Some(format!("`{target}` is absolute; link relative to this page"));
    }
    let full = if path.is_empty() { Some(page.to_owned()) } else { resolve(page, path) };
    let Some(full) = full else {
        return Some(format!("`{target}` leads out of the project; link to what is in it"));
    };
    if !exists(&full, files) {
        return Some(format!("`{target}` leads to no file; mend the link"));
    }
    let known = headings.get(full.as_str())?;
    (!anchor.is_empty() && !known.contains(anchor))
        .then(|| format!("`{target}` leads to no heading of {full}; mend the anchor"))
}

/// `https:` and `mailto:` have one; a path has not.
fn has_scheme(target: &str) -> bool {
    target.split_once(':').is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The path from the top of the project; none where it leads out of it.
fn resolve(page: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn exists(path: &str, files: &BTreeSet<String>) -> bool {
    let folder = format!("{path}/");
    path.is_empty()
        || files.contains(path)
        || files.range(folder.clone()..).next().is_some_and(|file| file.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_link(target: &str, expected: Option<&str>) {
        let page = |path: &str, text: String| TextFile { path: path.to_owned(), text };
        let pages = [
            page("docs/one.md", format!("# One\n\n[link]({target})\n")),
            page("docs/more/two.md", "# Two and more\n".to_owned()),
        ];
        let files = ["README.md", "docs/one.md", "docs/more/two.md", "src/lib.rs"];
        let files = files.into_iter().map(str::to_owned).collect();
        let findings = check(&pages, &files);
        match expected {
            None => assert!(findings.is_empty(), "{findings:?}"),
            Some(words) => {
                assert_eq!(findings.len(), 1, "{target}");
                let text = findings[0].to_string();
                assert!(text.starts_with("docs/one.md:3: ") && text.contains(words), "{text}");
            }
        }
    }

    #[test]
    fn links_to_what_is_there_pass() {
        for target in
            ["more/two.md", "../src/lib.rs", "more", "../", "#one", "more/two.md#two-and-more"]
        {
            check_link(target, None);
        }
        check_link("https://example.org/none.md", None);
        check_link("mailto:someone@example.org", None);
    }

    #[test]
    fn links_to_what_is_not_there_are_found() {
        check_link("two.md", Some("no file"));
        check_link("mor", Some("no file"));
        check_link("../../other/file.md", Some("out of the project"));
        check_link("/docs/one.md", Some("absolute"));
        check_link("#two", Some("no heading"));
        check_link("more/two.md#two", Some("no heading of docs/more/two.md"));
    }
}
