//! Tests wait on events, never on the clock of the wall.

use proc_macro2::{Delimiter, TokenTree};

use super::Finding;
use crate::source::{RustFile, each_sequence};

/// The comment that says that the clock is paused, on the line or the one above.
const PAUSED: &str = "// paused clock";

/// Finds tests that sleep.
///
/// The sleep of a runtime whose clock is paused takes no time and may stand; a sleeping thread
/// always takes its time.
pub(crate) fn check(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    each_sequence(&file.tokens, &mut |sequence| {
        for place in 0..sequence.len() {
            let line = sequence[place].span().start().line;
            let Some(sleep) = sleep_at(sequence, place) else { continue };
            if file.is_test_line(line) && (sleep == Sleep::Thread || !says_paused(file, line)) {
                let message = match sleep {
                    Sleep::Thread => {
                        "a test sleeps; wait on the event itself: a channel, a barrier, a join"
                    }
                    Sleep::Other => {
                        "a test sleeps; wait on the event itself, or pause the clock and say `// paused clock`"
                    }
                };
                findings.push(Finding::new(&file.path, line, message));
            }
        }
    });
    findings
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Sleep {
    Thread,
    Other,
}

/// A function called or imported as `sleep` or `sleep_until`; methods of that name are others'.
fn sleep_at(sequence: &[TokenTree], place: usize) -> Option<Sleep> {
    let TokenTree::Ident(name) = &sequence[place] else { return None };
    if name != "sleep" && name != "sleep_until" {
        return None;
    }
    let before = &sequence[..place];
    if let [.., TokenTree::Ident(owner), TokenTree::Punct(first), TokenTree::Punct(second)] = before
        && first.as_char() == ':'
        && second.as_char() == ':'
    {
        return Some(if owner == "thread" { Sleep::Thread } else { Sleep::Other });
    }
    let is_method_or_definition = match before.last() {
        Some(TokenTree::Punct(dot)) => dot.as_char() == '.',
        Some(TokenTree::Ident(word)) => word == "fn",
        _ => false,
    };
    let is_called = matches!(
        sequence.get(place + 1),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis
    );
    (is_called && !is_method_or_definition).then_some(Sleep::Other)
}

fn says_paused(file: &RustFile, line: usize) -> bool {
    let above = line.saturating_sub(2);
    file.text.lines().skip(above).take(line - above).any(|text| text.contains(PAUSED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::TextFile;

    fn check_text(path: &str, text: &str, expected: &[usize]) {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        let lines: Vec<_> =
            check(&RustFile::parse(file).unwrap()).iter().map(Finding::line).collect();
        assert_eq!(lines, expected, "{text}");
    }

    #[test]
    fn a_sleep_in_a_test_is_found() {
        check_text("tests/a.rs", "fn a() {\n    std::thread::sleep(b);\n}\n", &[2]);
        check_text("tests/a.rs", "fn a() {\n    tokio::time::sleep(b).await;\n}\n", &[2]);
        check_text(
            "tests/a.rs",
            "use tokio::time::{self, sleep};\nfn a() {\n    sleep(b);\n}\n",
            &[3],
        );
        check_text("tests/a.rs", "use std::thread::sleep;\n", &[1]);
        check_text(
            "tests/a.rs",
            "fn a() {\n    select! {\n        () = time::sleep_until(b) => {}\n    }\n}\n",
            &[3],
        );
        check_text(
            "src/a.rs",
            "#[cfg(test)]\nmod tests {\n    fn a() {\n        thread::sleep(b);\n    }\n}\n",
            &[4],
        );
    }

    #[test]
    fn a_paused_clock_excuses_a_runtime_but_no_thread() {
        check_text("tests/a.rs", "fn a() {\n    time::sleep(b).await; // paused clock\n}\n", &[]);
        check_text(
            "tests/a.rs",
            "fn a() {\n    // paused clock\n    time::sleep(b).await;\n}\n",
            &[],
        );
        check_text(
            "tests/a.rs",
            "fn a() {\n    // paused clock\n\n    time::sleep(b).await;\n}\n",
            &[4],
        );
        check_text("tests/a.rs", "fn a() {\n    // paused clock\n    thread::sleep(b);\n}\n", &[3]);
    }

    #[test]
    fn code_that_is_no_test_may_sleep_and_names_may_be_alike() {
        check_text("src/a.rs", "fn a() {\n    std::thread::sleep(b);\n}\n", &[]);
        check_text(
            "tests/a.rs",
            "fn sleep(x: u8) {}\nfn a() { b.sleep(c); let sleep = 1; }\n",
            &[],
        );
    }
}
