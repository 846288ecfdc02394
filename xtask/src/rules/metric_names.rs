//! Every metric is documented, and every documented metric exists.

use std::collections::BTreeMap;

use proc_macro2::TokenTree;

use super::Finding;
use crate::markdown::code_spans;
use crate::project::TextFile;
use crate::source::{RustFile, each_sequence};

/// The page that lists the metrics.
pub(crate) const PAGE: &str = "docs/metrics.md";

const PREFIX: &str = "turnledger_";

/// The macros of the `metrics` facade whose first argument is a metric's name.
const MACROS: [&str; 6] =
    ["counter", "gauge", "histogram", "describe_counter", "describe_gauge", "describe_histogram"];

/// Finds names that the page lacks, names that only the page has, and names said in passing.
pub(crate) fn check(files: &[RustFile], page: Option<&TextFile>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let documented: BTreeMap<String, usize> =
        page.map(|page| documented_names(&page.text)).unwrap_or_default();
    let mut defined = Vec::new();
    for file in files.iter().filter(|file| !file.is_test_only()) {
        if is_names_file(&file.path) {
            defined.extend(names_in(file).into_iter().map(|(name, line)| (name, file, line)));
        } else {
            findings.extend(names_in_passing(file));
        }
    }
    for (name, file, line) in &defined {
        if !documented.contains_key(name) {
            let message = format!("the metric `{name}` is not in {PAGE}; describe it there");
            findings.push(Finding::new(&file.path, *line, message));
        }
    }
    for (name, line) in documented {
        if !defined.iter().any(|(known, ..)| *known == name) {
            let message = format!("no crate defines the metric `{name}`; take it out or mend it");
            findings.push(Finding::new(PAGE, line, message));
        }
    }
    findings
}

/// A crate has one file of names: `src/metrics/names.rs` or `src/metric_names.rs`.
fn is_names_file(path: &str) -> bool {
    path.starts_with("crates/")
        && (path.ends_with("/src/metrics/names.rs") || path.ends_with("/src/metric_names.rs"))
}

fn names_in(file: &RustFile) -> Vec<(String, usize)> {
    let mut names = Vec::new();
    each_sequence(&file.tokens, &mut |sequence| {
        for tree in sequence {
            let line = tree.span().start().line;
            if let Some(text) = text_of(tree)
                && text.starts_with(PREFIX)
                && !file.is_test_line(line)
            {
                names.push((text, line));
            }
        }
    });
    names
}

/// A name written into a call of the facade escapes the list of names.
fn names_in_passing(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_sequence(&file.tokens, &mut |sequence| {
        for part in sequence.windows(3) {
            let [TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(group)] = part
            else {
                continue;
            };
            let line = name.span().start().line;
            let is_call = bang.as_char() == '!' && MACROS.iter().any(|known| name == known);
            let first = group.stream().into_iter().next();
            if is_call
                && first.as_ref().is_some_and(|tree| text_of(tree).is_some())
                && !file.is_test_line(line)
            {
                let message = "a metric's name is a constant of the crate's file of metric names; move it there";
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    });
    findings
}

fn text_of(tree: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = tree else { return None };
    match syn::parse_str::<syn::Lit>(&literal.to_string()) {
        Ok(syn::Lit::Str(text)) => Some(text.value()),
        _ => None,
    }
}

/// The names in backticks, up to their labels, each with its first line.
fn documented_names(page: &str) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for (line, code) in code_spans(page) {
        if code.starts_with(PREFIX) {
            let end = code.find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            names.entry(code[..end.unwrap_or(code.len())].to_owned()).or_insert(line);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(path: &str, source: &str, page: Option<&str>, expected: &[&str]) {
        let file = TextFile { path: path.to_owned(), text: source.to_owned() };
        let files = [RustFile::parse(file).unwrap()];
        let page = page.map(|text| TextFile { path: PAGE.to_owned(), text: text.to_owned() });
        let findings = check(&files, page.as_ref());
        assert_eq!(findings.len(), expected.len(), "{findings:?}");
        for (finding, start) in findings.iter().zip(expected) {
            assert!(finding.to_string().starts_with(start), "{finding}");
        }
    }

    const NAMES: &str = "crates/tokens/src/metrics/names.rs";
    const SOURCE: &str = "//! Names.\npub const ONE: &str = \"turnledger_one_total\";\n";

    #[test]
    fn names_and_page_agree() {
        check_text(NAMES, SOURCE, Some("| `turnledger_one_total{counter}` |\n"), &[]);
        check_text("crates/tokens/src/a.rs", "fn a() {}", None, &[]);
    }

    #[test]
    fn a_name_that_the_page_lacks_is_found() {
        let expected = ["crates/tokens/src/metrics/names.rs:2: the metric `turnledger_one_total`"];
        check_text(NAMES, SOURCE, None, &expected);
        check_text(NAMES, SOURCE, Some("turnledger_one_total, without backticks"), &expected);
        let other = "crates/tokens/src/metric_names.rs";
        check_text(other, SOURCE, None, &["crates/tokens/src/metric_names.rs:2: "]);
    }

    #[test]
    fn a_name_that_only_the_page_has_is_found() {
        let page = "# Metrics\n\n`turnledger_one_total` and `turnledger_two_seconds`\n";
        let expected = ["docs/metrics.md:3: no crate defines the metric `turnledger_two_seconds`"];
        check_text(NAMES, SOURCE, Some(page), &expected);
    }

    #[test]
    fn a_name_said_in_passing_is_found() {
        let path = "crates/tokens/src/pool.rs";
        let call = "fn a() {\n    metrics::counter!(\"turnledger_x_total\").increment(1);\n}\n";
        check_text(path, call, None, &["crates/tokens/src/pool.rs:2: a metric's name"]);
        check_text(path, "fn a() {\n    counter!(names::X);\n}\n", None, &[]);
        check_text("crates/tokens/tests/a.rs", call, None, &[]);
    }
}
