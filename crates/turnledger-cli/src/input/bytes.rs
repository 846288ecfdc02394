//! Bytes with the number of their line.

use std::io::{self, BufRead};

/// The mark that some programs put before UTF-8 text.
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads bytes one by one or in runs, and knows the line.
pub(super) struct Bytes<R> {
    reader: R,
    line: u64,
}

/// How a text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// With this byte, blanks left out.
    Byte(u8),
    /// It holds nothing but blanks.
    Nothing,
    /// With the mark of UTF-16.
    Utf16,
}

impl<R: BufRead> Bytes<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, line: 1 }
    }

    /// The line of the next byte, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Skips a mark and blanks, and looks at the first byte behind them without taking it.
    pub(super) fn beginning(&mut self) -> io::Result<Beginning> {
        match fill(&mut self.reader)?.first() {
            // No JSON text begins with these two.
            Some(0xFE | 0xFF) => return Ok(Beginning::Utf16),
            // Nor with this one; what begins with a part of the mark is refused later.
            Some(0xEF) => {
                for expected in UTF8_MARK {
                    if fill(&mut self.reader)?.first() == Some(expected) {
                        self.take();
                    }
                }
            }
            _ => {}
        }
        Ok(self.peek_behind_blanks()?.map_or(Beginning::Nothing, Beginning::Byte))
    }

    /// Skips blanks and looks at the next byte; none at the end.
    pub(super) fn peek_behind_blanks(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = fill(&mut self.reader)?;
            let Some(&first) = buffer.first() else { return Ok(None) };
            if !first.is_ascii_whitespace() {
                return Ok(Some(first));
            }
            self.take();
        }
    }

    /// Takes the byte that was looked at.
    pub(super) fn take(&mut self) {
        if let Ok(buffer) = fill(&mut self.reader)
            && let Some(&byte) = buffer.first()
        {
            self.line += u64::from(byte == b'\n');
            self.reader.consume(1);
        }
    }

    /// Hands out what is buffered; `consume` says how much of it was used, and whether to go on.
    ///
    /// Returns false at the end of the text.
    pub(super) fn run(&mut self, consume: impl FnOnce(&[u8]) -> usize) -> io::Result<bool> {
        let buffer = fill(&mut self.reader)?;
        if buffer.is_empty() {
            return Ok(false);
        }
        let used = consume(buffer);
        self.line += buffer[..used].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.reader.consume(used);
        Ok(true)
    }
}

/// What is buffered, read anew where nothing is; an interruption is no error.
fn fill<R: BufRead>(reader: &mut R) -> io::Result<&[u8]> {
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    // What is buffered now is handed out again; the borrow of the loop's call ended with it.
    reader.fill_buf()
}

/// A piece of text of bounded length.
pub(super) struct Piece {
    bytes: Vec<u8>,
    limit: usize,
    overflown: bool,
}

impl Piece {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, overflown: false }
    }

    /// Adds bytes; what is above the limit is forgotten, and so is what came before.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if self.overflown || bytes.len() > self.limit - self.bytes.len() {
            self.overflown = true;
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// The bytes; none where there were too many.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        (!self.overflown).then_some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_and_blanks_are_skipped() {
        let check = |text: &[u8], expected: Beginning, line: u64| {
            // One byte at a time, as a slow pipe has it.
            let mut bytes = Bytes::new(io::BufReader::with_capacity(1, text));
            assert_eq!(bytes.beginning().unwrap(), expected, "{text:?}");
            assert_eq!(bytes.line(), line, "{text:?}");
        };
        check(b"", Beginning::Nothing, 1);
        check(b" \r\n", Beginning::Nothing, 2);
        check(b"{}", Beginning::Byte(b'{'), 1);
        check(b"\n\n [", Beginning::Byte(b'['), 3);
        check(b"\xEF\xBB\xBF", Beginning::Nothing, 1);
        check(b"\xEF\xBB\xBF\n{", Beginning::Byte(b'{'), 2);
        check(b"\xFF\xFE{\0", Beginning::Utf16, 1);
    }

    #[test]
    fn a_piece_is_bounded() {
        let finish = |parts: &[&[u8]]| {
            let mut piece = Piece::new(4);
            for part in parts {
                piece.extend(part);
            }
            piece.finish()
        };
        assert_eq!(finish(&[b"ab", b"cd"]), Some(b"abcd".to_vec()));
        assert_eq!(finish(&[b"ab", b"cde"]), None);
        assert_eq!(finish(&[b"abcde", b""]), None);
    }
}
