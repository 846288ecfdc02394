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
        if character.is_control() && !keep(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
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
