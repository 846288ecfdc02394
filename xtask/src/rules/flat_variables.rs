//! Every flat variable is documented beside its key, and every documented one exists.

use std::collections::BTreeSet;

use proc_macro2::TokenTree;
use syn::{Expr, ExprLit, Item, Lit};

use super::Finding;
use crate::markdown::tables;
use crate::project::TextFile;
use crate::source::{RustFile, each_sequence};

/// The constant in which a crate lists its flat variables, as pairs of a key and a variable.
const TABLE: &str = "FLAT_VARIABLES";

/// The method that declares a flat variable.
const DECLARES: &str = "variable";

/// A flat variable, after the key that it stands for.
type Pair = (String, String);

/// A file and a line in it.
type Place = (String, usize);

/// Compares the constants of the crates with the tables whose columns are `Key` and `Variable`.
///
/// Wherever else a page names a variable that begins like one of those, it has to be one of them.
pub(crate) fn check(files: &[RustFile], pages: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut listed = Vec::new();
    for file in files {
        if file.is_test_only() || !file.path.starts_with("crates/") {
            continue;
        }
        listed.extend(pairs_of(file, &mut findings));
        findings.extend(declared_in_passing(file));
    }
    let mut documented: BTreeSet<Pair> = BTreeSet::new();
    for page in pages {
        for (pair, line) in documented_on(page) {
            if !listed.iter().any(|(known, _)| *known == pair) {
                let (key, variable) = &pair;
                let message = format!("no `{TABLE}` has `{variable}` for `{key}`; mend the row");
                findings.push(Finding::new(&page.path, line, message));
            }
            documented.insert(pair);
        }
        findings.extend(unknown_on(page, &listed));
    }
    for (pair, (path, line)) in &listed {
        if !documented.contains(pair) {
            let (key, variable) = pair;
            let message =
                format!("no page of docs/configuration has `{variable}` in the row of `{key}`");
            findings.push(Finding::new(path, *line, message));
        }
    }
    findings
}

/// The pairs of a file's constant, each with its file and line.
fn pairs_of(file: &RustFile, findings: &mut Vec<Finding>) -> Vec<(Pair, Place)> {
    let mut pairs = Vec::new();
    for item in &file.syntax.items {
        let Item::Const(constant) = item else { continue };
        if constant.ident != TABLE {
            continue;
        }
        let line = constant.ident.span().start().line;
        if let Some(read) = pairs_in(&constant.expr) {
            let placed = |(pair, line)| (pair, (file.path.clone(), line));
            pairs.extend(read.into_iter().map(placed));
        } else {
            let message = "holds pairs of two texts, the key and the variable; write them so";
            findings.push(Finding::new(&file.path, line, message));
        }
    }
    pairs
}

fn pairs_in(table: &Expr) -> Option<Vec<(Pair, usize)>> {
    let table = if let Expr::Reference(reference) = table { &*reference.expr } else { table };
    let Expr::Array(array) = table else { return None };
    let pair = |element: &Expr| {
        let Expr::Tuple(tuple) = element else { return None };
        let texts: Option<Vec<_>> = tuple.elems.iter().map(text_of).collect();
        let [(key, line), (variable, _)] = &texts?[..] else { return None };
        Some(((key.clone(), variable.clone()), *line))
    };
    array.elems.iter().map(pair).collect()
}

fn text_of(expression: &Expr) -> Option<(String, usize)> {
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = expression else { return None };
    Some((text.value(), text.span().start().line))
}

/// A variable that is declared beside the table escapes this rule.
fn declared_in_passing(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_sequence(&file.tokens, &mut |sequence| {
        for part in sequence.windows(3) {
            let [TokenTree::Punct(dot), TokenTree::Ident(name), TokenTree::Group(group)] = part
            else {
                continue;
            };
            let line = name.span().start().line;
            let first = group.stream().into_iter().next();
            if dot.as_char() == '.'
                && name == DECLARES
                && matches!(first, Some(TokenTree::Literal(_)))
                && !file.is_test_line(line)
            {
                let message = format!("a flat variable stands in `{TABLE}`; move it there");
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    });
    findings
}

fn documented_on(page: &TextFile) -> Vec<(Pair, usize)> {
    let mut pairs = Vec::new();
    for table in tables(&page.text) {
        let (Some(key), Some(variable)) = (table.column("key"), table.column("variable")) else {
            continue;
        };
        for row in &table.rows {
            // That a row names one key is for the rule of the settings to say.
            let Some(key) = row.code(key).first() else { continue };
            let named = row.code(variable).iter();
            pairs.extend(named.map(|variable| ((key.clone(), variable.clone()), row.line)));
        }
    }
    pairs
}

/// Words of a page that begin like a flat variable, and are none.
fn unknown_on(page: &TextFile, listed: &[(Pair, Place)]) -> Vec<Finding> {
    let known: BTreeSet<&str> = listed.iter().map(|((_, variable), _)| variable.as_str()).collect();
    let beginnings: BTreeSet<&str> = known
        .iter()
        .filter_map(|variable| variable.split_once('_'))
        .map(|(first, _)| first)
        .collect();
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut findings = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        for word in line.split(|letter| !is_part(letter)) {
            let begins = word.split_once('_').is_some_and(|(first, _)| beginnings.contains(first));
            if begins && !known.contains(word) {
                let message = format!("there is no variable `{word}`; mend it");
                findings.push(Finding::new(&page.path, index + 1, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/cache/src/variables.rs";
    const PAGE: &str = "docs/configuration/redis.md";
    const SOURCE: &str = "//! Names.\npub const FLAT_VARIABLES: &[(&str, &str)] = &[\n    \
                          (\"redis.url\", \"REDIS_URL\"),\n    (\"redis.size\", \"REDIS_SIZE\"),\n];\n";
    const ROWS: &str = "| Key | Variable |\n|---|---|\n| `redis.url` | `REDIS_URL` |\n\
                        | `redis.size` | `REDIS_SIZE` |\n";

    fn check_text(path: &str, source: &str, page: &str, expected: &[&str]) {
        let text =
            |path: &str, text: &str| TextFile { path: path.to_owned(), text: text.to_owned() };
        let files = [RustFile::parse(text(path, source)).unwrap()];
        let found: Vec<_> =
            check(&files, &[text(PAGE, page)]).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (finding, start) in found.iter().zip(expected) {
            assert!(finding.starts_with(start), "{finding}");
        }
    }

    #[test]
    fn a_page_that_agrees_passes() {
        check_text(FILE, SOURCE, ROWS, &[]);
        check_text(FILE, SOURCE, &format!("{ROWS}\n```sh\nexport REDIS_SIZE=20\n```\n"), &[]);
        check_text(FILE, SOURCE, &format!("{ROWS}\n`TURNLEDGER__REDIS__URL`, REDIS\n"), &[]);
        check_text("crates/cache/src/a.rs", "fn a() {}", "# Settings\n", &[]);
    }

    #[test]
    fn a_variable_without_a_row_is_found() {
        let page = ROWS.replace("| `redis.size` | `REDIS_SIZE` |\n", "");
        check_text(FILE, SOURCE, &page, &["crates/cache/src/variables.rs:4: no page"]);
        let page = ROWS.replace("| `REDIS_SIZE` |", "| |");
        check_text(FILE, SOURCE, &page, &["crates/cache/src/variables.rs:4: no page"]);
        let page = ROWS.replace("Variable", "Name");
        let both = ["crates/cache/src/variables.rs:3: ", "crates/cache/src/variables.rs:4: "];
        check_text(FILE, SOURCE, &page, &both);
    }

    #[test]
    fn a_row_without_its_variable_is_found() {
        let crossed = ROWS.replace("| `redis.size` | `REDIS_SIZE`", "| `redis.size` | `REDIS_URL`");
        let expected = [
            "docs/configuration/redis.md:4: no `FLAT_VARIABLES` has `REDIS_URL` for `redis.size`",
            "crates/cache/src/variables.rs:4: no page",
        ];
        check_text(FILE, SOURCE, &crossed, &expected);
        let more = format!("{ROWS}| `redis.db` | `DB` |\n");
        check_text(FILE, SOURCE, &more, &["docs/configuration/redis.md:5: no `FLAT_VARIABLES`"]);
    }

    #[test]
    fn a_misspelt_variable_is_found_wherever_it_stands() {
        for text in ["Set `REDIS_SIZES` to 7.", "```sh\nexport REDIS_SIZES=7\n```"] {
            let page = format!("{ROWS}\n{text}\n");
            let line = if text.starts_with("Set") { 6 } else { 7 };
            let expected = format!("docs/configuration/redis.md:{line}: there is no variable");
            check_text(FILE, SOURCE, &page, &[&expected]);
        }
    }

    #[test]
    fn a_variable_beside_the_table_is_found() {
        let source = "fn a() {\n    setting(\"redis.url\").variable(\"REDIS_URL\");\n}\n";
        let expected = ["crates/cache/src/a.rs:2: a flat variable stands in `FLAT_VARIABLES`"];
        check_text("crates/cache/src/a.rs", source, "", &expected);
        check_text("crates/cache/tests/a.rs", source, "", &[]);
        check_text("crates/cache/src/a.rs", "fn a() {\n    setting.variable(name);\n}\n", "", &[]);
    }

    #[test]
    fn a_table_that_cannot_be_read_is_found() {
        for table in ["list()", "&[(KEY, \"REDIS_URL\")]", "&[(\"redis.url\", \"A\", \"B\")]"] {
            let source = format!("const FLAT_VARIABLES: &[(&str, &str)] = {table};\n");
            check_text(FILE, &source, "", &["crates/cache/src/variables.rs:1: holds pairs"]);
        }
    }
}
