//! JSON lines: one conversation on each.

use std::io::BufRead;

use super::bytes::{Bytes, Piece};
use super::error::InputError;

/// A piece of input with its line, or why it could not be read.
pub(super) struct Raw {
    /// The line on which it begins.
    pub(super) line: u64,
    /// Its bytes.
    pub(super) bytes: Result<Vec<u8>, InputError>,
    /// Whether nothing of this file can be read behind it.
    pub(super) last: bool,
}

impl Raw {
    pub(super) fn broken(line: u64, error: InputError) -> Self {
        Self { line, bytes: Err(error), last: true }
    }
}

/// The next line that is not blank; none at the end.
pub(super) fn next_line<R: BufRead>(bytes: &mut Bytes<R>, limit: usize) -> Option<Raw> {
    loop {
        let line = bytes.line();
        let mut piece = Piece::new(limit);
        let (mut ended, mut any) = (false, false);
        while !ended {
            let read = bytes.run(|buffer| {
                any = true;
                let end = buffer.iter().position(|byte| *byte == b'\n');
                ended = end.is_some();
                piece.extend(&buffer[..end.unwrap_or(buffer.len())]);
                end.map_or(buffer.len(), |end| end + 1)
            });
            match read {
                Ok(true) => {}
                Ok(false) => break,
                Err(source) => return Some(Raw::broken(line, InputError::Read { source })),
            }
        }
        if !any {
            return None;
        }
        match piece.finish() {
            Some(text) if text.iter().all(u8::is_ascii_whitespace) => {}
            Some(text) => return Some(Raw { line, bytes: Ok(text), last: false }),
            None => {
                return Some(Raw { line, bytes: Err(InputError::TooLong { limit }), last: false });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, limit: usize) -> Vec<(u64, Option<String>)> {
        // A small buffer makes every line come in several runs.
        let reader = std::io::BufReader::with_capacity(3, text.as_bytes());
        let mut bytes = Bytes::new(reader);
        std::iter::from_fn(|| next_line(&mut bytes, limit))
            .map(|raw| (raw.line, raw.bytes.ok().map(|text| String::from_utf8(text).unwrap())))
            .collect()
    }

    #[test]
    fn blank_lines_are_skipped_and_counted() {
        let check = |text: &str, expected: &[(u64, &str)]| {
            let expected: Vec<_> =
                expected.iter().map(|(line, text)| (*line, Some((*text).to_owned()))).collect();
            assert_eq!(lines(text, 100), expected, "{text:?}");
        };
        check("", &[]);
        check("\n\n", &[]);
        check("one", &[(1, "one")]);
        check("one\ntwo\n", &[(1, "one"), (2, "two")]);
        check("\none\r\n \t\r\ntwo", &[(2, "one\r"), (4, "two")]);
    }

    #[test]
    fn a_line_that_is_too_long_costs_that_line_only() {
        let found = lines("12345\n123456\n1\n", 5);
        assert_eq!(found, [(1, Some("12345".into())), (2, None), (3, Some("1".into()))]);
    }
}
