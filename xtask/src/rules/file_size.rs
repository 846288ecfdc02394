//! A source file is a room with one purpose, and rooms have a size.

use super::Finding;
use crate::source::RustFile;

/// The most lines that a file may have, its test modules not counted.
const LIMIT: usize = 400;

/// Finds a file that has outgrown its purpose.
pub(crate) fn check(file: &RustFile) -> Option<Finding> {
    if file.is_test_only() {
        return None;
    }
    let lines = file.lines_without_tests();
    (lines > LIMIT).then(|| {
        let message = format!(
            "{lines} lines without tests, more than {LIMIT}; split it by purpose into several files"
        );
        Finding::new(&file.path, LIMIT + 1, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::TextFile;

    fn check_text(path: &str, text: &str) -> Option<Finding> {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        check(&RustFile::parse(file).unwrap())
    }

    #[test]
    fn the_limit_holds_and_tests_do_not_count() {
        let full = "// A line.\n".repeat(LIMIT);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// A line.\n".repeat(LIMIT));
        assert_eq!(check_text("src/a.rs", &format!("{full}{tests}")), None);
        let finding = check_text("src/a.rs", &format!("{full}fn one() {{}}\n{tests}")).unwrap();
        assert!(finding.to_string().starts_with("src/a.rs:401: 401 lines"), "{finding}");
        assert_eq!(check_text("tests/a.rs", &format!("{full}fn one() {{}}\n")), None);
    }
}
