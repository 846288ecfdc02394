//! The elements of one JSON array, one after the other.
//!
//! The scanner follows brackets and strings only. Whether an element is JSON is up to its parser,
//! so that a bad element costs itself and not the array, as long as its brackets match.

use std::io::BufRead;

use super::bytes::{Bytes, Piece};
use super::error::InputError;
use super::lines::Raw;

/// Where in the array the reader stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Before the opening bracket.
    Start,
    /// Behind an element.
    BehindElement,
    /// Behind the closing bracket, or where nothing more can be read.
    End,
}

/// The next element; none behind the last one.
pub(super) fn next_element<R: BufRead>(
    bytes: &mut Bytes<R>,
    position: &mut Position,
    limit: usize,
) -> Option<Raw> {
    match step(bytes, position, limit) {
        Ok(raw) => raw,
        Err(error) => {
            *position = Position::End;
            Some(Raw::broken(bytes.line(), error))
        }
    }
}

fn step<R: BufRead>(
    bytes: &mut Bytes<R>,
    position: &mut Position,
    limit: usize,
) -> Result<Option<Raw>, InputError> {
    let at_start = *position == Position::Start;
    match (*position, peek(bytes)?) {
        (Position::End, _) => return Ok(None),
        (Position::Start, Some(b'[')) | (Position::BehindElement, Some(b',')) => bytes.take(),
        (Position::Start, _) => return Err(InputError::NotAnArray),
        (Position::BehindElement, Some(b']')) => return close(bytes, position),
        (Position::BehindElement, None) => return Err(InputError::UnclosedArray),
        (Position::BehindElement, Some(_)) => return Err(InputError::NoComma),
    }
    match peek(bytes)? {
        Some(b']') if at_start => close(bytes, position),
        Some(b',' | b']') => Err(InputError::EmptyElement),
        None => Err(InputError::UnclosedArray),
        Some(_) => {
            let raw = element(bytes, limit)?;
            *position = if raw.last { Position::End } else { Position::BehindElement };
            Ok(Some(raw))
        }
    }
}

fn peek<R: BufRead>(bytes: &mut Bytes<R>) -> Result<Option<u8>, InputError> {
    bytes.peek_behind_blanks().map_err(|source| InputError::Read { source })
}

/// Takes the closing bracket; nothing but blanks may follow.
fn close<R: BufRead>(
    bytes: &mut Bytes<R>,
    position: &mut Position,
) -> Result<Option<Raw>, InputError> {
    bytes.take();
    *position = Position::End;
    match peek(bytes)? {
        None => Ok(None),
        Some(_) => Err(InputError::TextAfterArray),
    }
}

fn element<R: BufRead>(bytes: &mut Bytes<R>, limit: usize) -> Result<Raw, InputError> {
    let line = bytes.line();
    let (mut piece, mut scanner) = (Piece::new(limit), Scanner::default());
    let mut ended = false;
    while !ended {
        let more = bytes.run(|buffer| {
            let end = buffer.iter().position(|byte| scanner.ends_before(*byte));
            ended = end.is_some();
            let used = end.unwrap_or(buffer.len());
            piece.extend(&buffer[..used]);
            used
        });
        if !more.map_err(|source| InputError::Read { source })? {
            return Ok(Raw::broken(line, InputError::UnclosedElement));
        }
    }
    let bytes = piece.finish().ok_or(InputError::TooLong { limit });
    Ok(Raw { line, bytes, last: false })
}

/// Follows brackets and strings.
#[derive(Default)]
struct Scanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scanner {
    /// Takes the next byte, unless the element ends before it.
    fn ends_before(&mut self, byte: u8) -> bool {
        if self.in_string {
            if self.escaped {
                self.escaped = false;
            } else {
                self.escaped = byte == b'\\';
                self.in_string = byte != b'"';
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Vec<(u64, Result<String, String>)> {
        let reader = std::io::BufReader::with_capacity(3, text.as_bytes());
        let (mut bytes, mut position) = (Bytes::new(reader), Position::Start);
        std::iter::from_fn(|| next_element(&mut bytes, &mut position, 20))
            .map(|raw| {
                let text = raw.bytes.map(|text| String::from_utf8(text).unwrap());
                (raw.line, text.map_err(|error| error.to_string()))
            })
            .collect()
    }

    #[test]
    fn elements_come_one_by_one_with_their_lines() {
        let check = |text: &str, expected: &[(u64, &str)]| {
            let expected: Vec<_> =
                expected.iter().map(|(line, text)| (*line, Ok((*text).to_owned()))).collect();
            assert_eq!(elements(text), expected, "{text:?}");
        };
        check("[]", &[]);
        check(" [ \n ] \n", &[]);
        check("[{}]", &[(1, "{}")]);
        check("[\n{},\n{\"a\":\n[1,2]}]", &[(2, "{}"), (3, "{\"a\":\n[1,2]}")]);
        check(r#"["]\"],",1]"#, &[(1, r#""]\"],""#), (1, "1")]);
    }

    #[test]
    fn a_broken_array_says_where_and_how() {
        let check = |text: &str, good: usize, expected: &str| {
            let found = elements(text);
            assert_eq!(found.len(), good + 1, "{text:?}");
            let error = found[good].1.clone().unwrap_err();
            assert!(error.contains(expected), "{text:?}: {error}");
        };
        check("[", 0, "without `]`");
        check("[{}", 0, "begins here");
        check("[{},", 1, "without `]`");
        check("[{}}, {}", 1, "begins here");
        check("[{}}, {},", 2, "without `]`");
        check("[,{}]", 0, "missing between");
        check("[{},]", 1, "missing between");
        check("[{}] x", 1, "behind the array");
        check("{}", 0, "begin with `[`");
        check("", 0, "begin with `[`");
    }

    #[test]
    fn an_element_that_is_too_long_costs_itself_only() {
        let found = elements(r#"[1,"123456789012345678901",2]"#);
        assert_eq!(found.len(), 3);
        assert!(found[1].1.clone().unwrap_err().contains("20 bytes"));
        assert_eq!(found[2], (1, Ok("2".into())));
    }
}
