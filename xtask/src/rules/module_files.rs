//! `lib.rs` and `mod.rs` are maps, not rooms.

use syn::Item;
use syn::spanned::Spanned;

use super::Finding;
use crate::source::RustFile;

/// Finds whatever is neither documentation, an attribute, a `mod` nor a `use`.
pub(crate) fn check(file: &RustFile) -> Vec<Finding> {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    if file.is_test_only() || !matches!(name, "lib.rs" | "mod.rs") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    look_at(file, name, &file.syntax.items, &mut findings);
    findings
}

fn look_at(file: &RustFile, name: &str, items: &[Item], findings: &mut Vec<Finding>) {
    for item in items {
        let line = item.span().start().line;
        match item {
            Item::Use(_) => {}
            Item::Mod(module) => {
                if let Some((_, inner)) = &module.content
                    && !file.is_test_line(line)
                {
                    look_at(file, name, inner, findings);
                }
            }
            _ => findings.push(Finding::new(
                &file.path,
                line,
                format!("{name} holds documentation, `mod` and `use` only; move this to a module"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::TextFile;

    fn check_text(path: &str, text: &str) -> Vec<usize> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&RustFile::parse(file).unwrap()).iter().map(Finding::line).collect()
    }

    #[test]
    fn code_in_a_module_file_is_found() {
        let map = "//! Docs.\n#![deny(missing_docs)]\n\nmod a;\npub use a::B;\n";
        assert!(check_text("src/lib.rs", map).is_empty());
        let items = ["fn f() {}", "struct S;", "macro_rules! m { () => {} }", "const C: u8 = 1;"];
        for item in items {
            assert_eq!(check_text("src/lib.rs", &format!("{map}{item}")), [6], "{item}");
            assert_eq!(check_text("src/a/mod.rs", &format!("{map}{item}")), [6], "{item}");
            assert!(check_text("src/a.rs", &format!("{map}{item}")).is_empty(), "{item}");
            assert!(check_text("tests/common/mod.rs", item).is_empty(), "{item}");
        }
    }

    #[test]
    fn an_inline_module_may_only_re_export() {
        assert!(
            check_text("src/lib.rs", "pub mod prelude {\n    pub use crate::A;\n}\n").is_empty()
        );
        assert_eq!(check_text("src/lib.rs", "pub mod inner {\n    pub fn f() {}\n}\n"), [2]);
        assert!(
            check_text("src/lib.rs", "#[cfg(test)]\nmod tests {\n    fn f() {}\n}\n").is_empty()
        );
    }
}
