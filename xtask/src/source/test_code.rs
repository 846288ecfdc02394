//! Which code is compiled for tests only.

use std::ops::RangeInclusive;

use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Item, ItemMod, Meta, Token};

/// Whether a path lies in a folder of integration tests.
pub(super) fn in_tests_folder(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folder, _)| folder.split('/').any(|part| part == "tests"))
}

/// Whether attributes hold a `cfg` that is true in tests only.
pub(super) fn marks_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition))
    })
}

/// The lines of every test module that stands inside its file, attributes included.
pub(super) fn inline_modules(items: &[Item]) -> Vec<RangeInclusive<usize>> {
    let mut ranges = Vec::new();
    for module in modules(items) {
        match &module.content {
            Some(_) if marks_test(&module.attrs) => ranges.push(lines(module)),
            Some((_, inner)) => ranges.extend(inline_modules(inner)),
            None => {}
        }
    }
    ranges
}

/// The module paths, without `.rs`, that a file declares for tests only.
pub(super) fn declared_modules(path: &str, items: &[Item]) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let base = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => join(folder, name.trim_end_matches(".rs")),
    };
    declared_below(&base, items)
}

/// Whether a file is the module at `root`, or lies below it.
pub(super) fn belongs_to(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn declared_below(base: &str, items: &[Item]) -> Vec<String> {
    let mut roots = Vec::new();
    for module in modules(items) {
        let here = join(base, &module.ident.to_string());
        match &module.content {
            None if marks_test(&module.attrs) => roots.push(here),
            Some((_, inner)) => roots.extend(declared_below(&here, inner)),
            None => {}
        }
    }
    roots
}

fn modules(items: &[Item]) -> impl Iterator<Item = &ItemMod> {
    items.iter().filter_map(|item| match item {
        Item::Mod(module) => Some(module),
        _ => None,
    })
}

/// `test` and `all(test, …)` need a test build; `any(test, …)` and `not(test)` do not.
fn needs_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .is_ok_and(|parts| parts.iter().any(needs_test)),
        _ => false,
    }
}

fn lines(module: &ItemMod) -> RangeInclusive<usize> {
    let end = module.span().end().line;
    let start = module
        .attrs
        .iter()
        .map(|attribute| attribute.span().start().line)
        .fold(module.span().start().line, usize::min);
    start..=end
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_conditions_that_need_a_test_build_count() {
        let check = |condition: &str, expected| {
            let condition: Meta = syn::parse_str(condition).unwrap();
            assert_eq!(needs_test(&condition), expected);
        };
        check("test", true);
        check("all(test, unix)", true);
        check("all(unix, all(test))", true);
        check("any(test, feature = \"testing\")", false);
        check("not(test)", false);
        check("unix", false);
    }

    #[test]
    fn a_folder_named_tests_holds_tests_and_a_file_of_that_name_does_not_say_so() {
        assert!(in_tests_folder("crates/a/tests/one.rs"));
        assert!(in_tests_folder("crates/a/tests/common/mod.rs"));
        assert!(!in_tests_folder("crates/a/src/tests.rs"));
    }
}
