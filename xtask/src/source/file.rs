//! One parsed Rust file.

use std::ops::RangeInclusive;

use proc_macro2::TokenStream;

use super::test_code;
use crate::project::TextFile;
use crate::rules::Finding;

/// A Rust file, parsed once for every rule.
pub(crate) struct RustFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: TokenStream,
    pub(crate) syntax: syn::File,
    test_only: bool,
    test_modules: Vec<RangeInclusive<usize>>,
}

impl RustFile {
    /// Parses one file; what does not parse is a finding.
    pub(crate) fn parse(file: TextFile) -> Result<Self, Finding> {
        let TextFile { path, text } = file;
        let tokens: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
            Finding::new(&path, error.span().start().line, "does not parse as Rust; mend the token")
        })?;
        let syntax: syn::File = syn::parse2(tokens.clone()).map_err(|error| {
            let line = error.span().start().line;
            Finding::new(&path, line, format!("does not parse as Rust ({error}); mend it"))
        })?;
        let test_only = test_code::in_tests_folder(&path) || test_code::marks_test(&syntax.attrs);
        let test_modules = test_code::inline_modules(&syntax.items);
        Ok(Self { path, text, tokens, syntax, test_only, test_modules })
    }

    /// Whether the whole file is compiled for tests only.
    pub(crate) fn is_test_only(&self) -> bool {
        self.test_only
    }

    /// Whether a line, from 1, is compiled for tests only.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.test_only || self.test_modules.iter().any(|module| module.contains(&line))
    }

    /// How many lines there are outside of test modules.
    pub(crate) fn lines_without_tests(&self) -> usize {
        (1..=self.text.lines().count()).filter(|&line| !self.is_test_line(line)).count()
    }
}

/// Parses all files and finds out which of them are compiled for tests only.
///
/// A `#[cfg(test)] mod tests;` says so about another file, which is why they are looked at
/// together.
pub(crate) fn parse_all(files: Vec<TextFile>) -> (Vec<RustFile>, Vec<Finding>) {
    let mut parsed = Vec::with_capacity(files.len());
    let mut findings = Vec::new();
    for file in files {
        match RustFile::parse(file) {
            Ok(file) => parsed.push(file),
            Err(finding) => findings.push(finding),
        }
    }
    let roots: Vec<String> = parsed
        .iter()
        .flat_map(|file| test_code::declared_modules(&file.path, &file.syntax.items))
        .collect();
    for file in &mut parsed {
        file.test_only |= roots.iter().any(|root| test_code::belongs_to(&file.path, root));
    }
    (parsed, findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn lines_of_test_modules_are_not_counted() {
        let text = "//! Docs.\n\nfn one() {}\n\n/// Docs.\n#[cfg(test)]\nmod tests {\n    fn two() {}\n}\n";
        let parsed = RustFile::parse(file("src/a.rs", text)).unwrap();
        assert_eq!(parsed.lines_without_tests(), 4);
        assert!(parsed.is_test_line(5) && parsed.is_test_line(8) && !parsed.is_test_line(3));
    }

    #[test]
    fn a_module_file_declared_for_tests_is_test_only_with_what_lies_below_it() {
        let (parsed, findings) = parse_all(vec![
            file("src/lib.rs", "#[cfg(test)]\nmod tests;\nmod deep;"),
            file("src/tests.rs", "mod inner;"),
            file("src/tests/inner.rs", ""),
            file("src/deep/mod.rs", "#[cfg(all(test, unix))]\nmod checks;"),
            file("src/deep/checks.rs", ""),
            file("src/wide.rs", "#[cfg(not(test))]\nmod plain;\n#[cfg(test)]\nmod table;"),
            file("src/wide/plain.rs", ""),
            file("src/wide/table.rs", ""),
            file("tests/all.rs", ""),
        ]);
        assert!(findings.is_empty());
        let test_only: Vec<_> =
            parsed.iter().filter(|file| file.is_test_only()).map(|file| &*file.path).collect();
        assert_eq!(
            test_only,
            [
                "src/tests.rs",
                "src/tests/inner.rs",
                "src/deep/checks.rs",
                "src/wide/table.rs",
                "tests/all.rs"
            ]
        );
    }

    #[test]
    fn what_does_not_parse_is_found_with_its_line() {
        for text in ["fn a() {}\nfn b( {\n", "fn a() {}\nfun b() {}\n"] {
            let (parsed, findings) = parse_all(vec![file("src/a.rs", text)]);
            assert!(parsed.is_empty());
            assert_eq!(findings.len(), 1, "{text}");
            assert_eq!(findings[0].line(), 2, "{text}");
        }
    }
}
