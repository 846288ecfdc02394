//! Text for people.

use std::fmt::Write as _;

/// A text without the control characters that a terminal would obey, line breaks included.
pub(crate) fn plain(text: &str) -> String {
    escaped(text, |_| false)
}

/// The same for text of several lines: line breaks and tabs stay.
pub(crate) fn content(text: &str) -> String {
    escaped(text, |character| matches!(character, '\n' | '\t'))
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) && !keep(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a terminal does something else than to show the character.
///
/// Besides control characters that is what breaks a line elsewhere, and what turns the direction
/// of writing, so that the text behind it shows as another one.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' // a mark of direction
            | '\u{200e}'..='\u{200f}' // the other two
            | '\u{2028}'..='\u{202e}' // separators, embeddings and overrides
            | '\u{2066}'..='\u{2069}' // isolates
        )
}

/// A text as a word of a command in a POSIX shell.
pub(crate) fn shell_word(text: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@%+=#".contains(&byte);
    if !text.is_empty() && text.bytes().all(bare) && !text.starts_with('#') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A number with what it counts: `1 message`, `2 messages`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {}", self::noun(number, noun))
}

/// The noun as it stands behind the number.
pub(crate) fn noun(number: u64, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// A number of seconds as people read it.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}

/// Lines of columns that stand below each other; the first row is the heading.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let mut line = String::new();
        for (text, width) in row.iter().zip(widths) {
            let _ = write!(line, "{text:width$}  ");
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_is_printed() {
        assert_eq!(plain("a\u{1b}[2J\nb\u{9b}é"), "a\\u{1b}[2J\\nb\\u{9b}é");
        assert_eq!(content("a\n\tb\r\u{7}"), "a\n\tb\\r\\u{7}");
        assert_eq!(
            content("\u{202e}txt.exe\u{2066}\u{200f}"),
            "\\u{202e}txt.exe\\u{2066}\\u{200f}"
        );
        assert_eq!(plain("\u{2028}\u{61c}\u{9b}"), "\\u{2028}\\u{61c}\\u{9b}");
        // What joins characters to one is left alone.
        assert_eq!(plain("👩\u{200d}🚀 שלום"), "👩\u{200d}🚀 שלום");
    }

    #[test]
    fn a_word_of_a_shell_is_quoted_where_it_has_to_be() {
        let check = |text: &str, expected: &str| assert_eq!(shell_word(text), expected);
        check("support-7", "support-7");
        check("file:/a/b.redb", "file:/a/b.redb");
        check("nameless.jsonl#1", "nameless.jsonl#1");
        check("#1", "'#1'");
        check("", "''");
        check("a b", "'a b'");
        check("it's", "'it'\\''s'");
        check("$(x)", "'$(x)'");
        check("é", "'é'");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(
            ["0 messages", "1 message", "2 messages"],
            [0, 1, 2].map(|n| count(n, "message"))
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_text() {
        let rows = [["a", "b"], ["long", "c"], ["é", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows), ["a     b", "long  c", "é"]);
    }

    #[test]
    fn times_are_short() {
        assert_eq!(seconds(0.0123), "12 ms");
        assert_eq!(seconds(61.23), "61.2 s");
    }
}
