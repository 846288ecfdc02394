//! What must not stay: unfinished code, and lints that are allowed instead of answered.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Finding;
use crate::source::{RustFile, each_sequence};

/// Macros that say that code is not finished.
const UNFINISHED: [&str; 3] = ["todo", "unimplemented", "dbg"];

/// The mark of a known defect in a comment.
const MARK: &str = "FIXME";

/// Finds `#[allow]`, macros of unfinished code, and marks of known defects.
pub(crate) fn check(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_sequence(&file.tokens, &mut |sequence| {
        for (place, tree) in sequence.iter().enumerate() {
            let rest = &sequence[place..];
            let line = tree.span().start().line;
            if is_allow_attribute(rest) {
                let message =
                    "`allow` stays when its reason is gone; write `#[expect(…, reason = \"…\")]`";
                findings.push(Finding::new(&file.path, line, message));
            }
            if let Some(name) = unfinished_macro(rest) {
                let message = format!("`{name}!` is left over; finish the code or take it out");
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    });
    findings.extend(marks(file));
    findings
}

/// `# [allow(…)]`, `# ! [allow(…)]`, or either inside a `cfg_attr`.
fn is_allow_attribute(rest: &[TokenTree]) -> bool {
    let inner = match rest {
        [TokenTree::Punct(hash), TokenTree::Group(group), ..] if hash.as_char() == '#' => group,
        [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(group), ..]
            if hash.as_char() == '#' && bang.as_char() == '!' =>
        {
            group
        }
        _ => return false,
    };
    inner.delimiter() == Delimiter::Bracket && allows(&inner.stream())
}

fn allows(attribute: &TokenStream) -> bool {
    let trees: Vec<TokenTree> = attribute.clone().into_iter().collect();
    match &trees[..] {
        [TokenTree::Ident(name), TokenTree::Group(_)] if name == "allow" => true,
        [TokenTree::Ident(name), TokenTree::Group(group)] if name == "cfg_attr" => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            inner.windows(2).any(|pair| {
                matches!(pair, [TokenTree::Ident(name), TokenTree::Group(_)] if name == "allow")
            })
        }
        _ => false,
    }
}

fn unfinished_macro(rest: &[TokenTree]) -> Option<&'static str> {
    match rest {
        [TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(_), ..]
            if bang.as_char() == '!' =>
        {
            UNFINISHED.into_iter().find(|known| name == known)
        }
        _ => None,
    }
}

/// The mark may stand in a text literal, this file's own for one, but not in a comment.
fn marks(file: &RustFile) -> Vec<Finding> {
    let literals = text_literals(file);
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        for (offset, _) in line.match_indices(MARK) {
            let place = (index + 1, line[..offset].chars().count());
            if !literals.iter().any(|(start, end)| (*start..*end).contains(&place)) {
                let message = format!("`{MARK}` marks a defect; mend it or open an issue about it");
                findings.push(Finding::new(&file.path, index + 1, message));
            }
        }
    }
    findings
}

type Place = (usize, usize);

/// Where text literals stand; a doc comment is a literal to the compiler, but none here.
fn text_literals(file: &RustFile) -> Vec<(Place, Place)> {
    let mut places = Vec::new();
    each_sequence(&file.tokens, &mut |sequence| {
        for tree in sequence {
            if let TokenTree::Literal(literal) = tree {
                let is_comment =
                    literal.span().source_text().is_some_and(|text| text.starts_with('/'));
                if !is_comment {
                    let (start, end) = (literal.span().start(), literal.span().end());
                    places.push(((start.line, start.column), (end.line, end.column)));
                }
            }
        }
    });
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::TextFile;

    fn check_text(text: &str, expected: &[usize]) {
        let file = TextFile { path: "src/a.rs".to_owned(), text: text.to_owned() };
        let lines: Vec<_> =
            check(&RustFile::parse(file).unwrap()).iter().map(Finding::line).collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn an_allowed_lint_is_found_in_every_form() {
        check_text("fn a() {}\n#[allow(dead_code)]\nfn b() {}\n", &[2]);
        check_text("#![allow(dead_code)]\n", &[1]);
        check_text("#[cfg_attr(unix, allow(dead_code))]\nfn b() {}\n", &[1]);
        check_text("fn a() {\n    #[allow(unused)]\n    let b = 1;\n}\n", &[2]);
        check_text("make! {\n    #[allow(unused)]\n    x\n}\n", &[2]);
        check_text("#[expect(dead_code, reason = \"so\")]\nfn b() {}\n", &[]);
        check_text("fn a() { allow(1); let b = [allow(2)]; }\n", &[]);
    }

    #[test]
    fn unfinished_code_is_found_also_in_tests_and_macros() {
        check_text("fn a() {\n    todo!()\n}\n", &[2]);
        check_text("fn a() {\n    unimplemented!(\"later\")\n}\n", &[2]);
        check_text("fn a() {\n    assert_eq!(dbg!(1), 1);\n}\n", &[2]);
        check_text("fn a() { let todo = 1; assert!(todo != 2); b(\"todo!()\"); }\n", &[]);
    }

    #[test]
    fn a_defect_marked_in_a_comment_is_found() {
        let text = "//! One FIXME.\n// Two FIXME.\n/// Three\n/// FIXME.\nfn a() { b(\"FIXME\") }\n/* FIXME */\n";
        check_text(text, &[1, 2, 4, 6]);
    }
}
