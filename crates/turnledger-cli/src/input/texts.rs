//! A text in parts that can be counted apart.

use std::io::{BufRead, Read};
use std::path::Path;
use std::sync::Arc;

use turnledger::TokenCounter;

use super::error::InputError;
use super::source::{self, SourceName};

/// The least bytes of a part, but for the last one.
const PART: usize = 1 << 20;

/// Bytes behind that in which a place to cut is looked for first.
const SLACK: usize = 64 << 10;

/// Reads a source, part by part.
///
/// Where its counter knows no place to cut, the rest is one part, whatever its length.
pub(crate) struct Texts {
    reader: Box<dyn BufRead>,
    counter: Arc<dyn TokenCounter>,
    buffer: Vec<u8>,
    /// How much of the buffer is known to be UTF-8.
    checked: usize,
    /// Bytes of the parts that were handed out.
    done: u64,
    ended: bool,
}

impl Texts {
    /// Opens a source; returns the name that errors call it, too.
    pub(crate) fn open(
        path: &Path,
        counter: Arc<dyn TokenCounter>,
    ) -> (Arc<str>, Result<Self, InputError>) {
        let name = SourceName::of(path).shown;
        (name, source::open(path).map(|reader| Self::new(reader, counter)))
    }

    fn new(reader: Box<dyn BufRead>, counter: Arc<dyn TokenCounter>) -> Self {
        Self { reader, counter, buffer: Vec::new(), checked: 0, done: 0, ended: false }
    }

    /// The next part; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<String>, InputError> {
        let (mut near, mut wanted) = (PART, PART + SLACK);
        loop {
            self.fill(wanted)?;
            self.check()?;
            let text = self.text()?;
            let cut = if near < text.len() { self.counter.safe_cut(text, near) } else { None };
            if let Some(cut) = cut {
                return self.take(cut).map(Some);
            }
            if self.ended {
                let rest = self.buffer.len();
                return if rest == 0 { Ok(None) } else { self.take(rest).map(Some) };
            }
            // What was searched is not searched again, but for its end, which may be one half of
            // a place to cut.
            near = near.max(text.len().saturating_sub(1));
            wanted *= 2;
        }
    }

    /// Reads until so many bytes are there, or the end.
    fn fill(&mut self, wanted: usize) -> Result<(), InputError> {
        let missing = wanted.saturating_sub(self.buffer.len());
        if !self.ended && missing > 0 {
            let read = self.reader.by_ref().take(missing as u64).read_to_end(&mut self.buffer);
            self.ended = read.map_err(|source| InputError::Read { source })? < missing;
        }
        Ok(())
    }

    /// Checks what was read. Only a character that is not read to its end may be left out.
    fn check(&mut self) -> Result<(), InputError> {
        match str::from_utf8(&self.buffer[self.checked..]) {
            Ok(_) => self.checked = self.buffer.len(),
            Err(error) => {
                self.checked += error.valid_up_to();
                if error.error_len().is_some() || self.ended {
                    return Err(self.not_utf8(self.checked));
                }
            }
        }
        Ok(())
    }

    /// What was checked.
    fn text(&self) -> Result<&str, InputError> {
        str::from_utf8(&self.buffer[..self.checked]).map_err(|_| self.not_utf8(0))
    }

    fn take(&mut self, length: usize) -> Result<String, InputError> {
        let rest = self.buffer.split_off(length);
        let part = std::mem::replace(&mut self.buffer, rest);
        let part = String::from_utf8(part).map_err(|_| self.not_utf8(length))?;
        self.checked -= length;
        self.done += length as u64;
        Ok(part)
    }

    fn not_utf8(&self, at: usize) -> InputError {
        InputError::NotUtf8At { offset: self.done + at as u64 }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use turnledger::BpeCounter;

    use super::*;

    fn parts(bytes: Vec<u8>) -> Result<Vec<String>, InputError> {
        let reader = BufReader::with_capacity(7, std::io::Cursor::new(bytes));
        let mut texts = Texts::new(Box::new(reader), Arc::new(BpeCounter::o200k_base()));
        std::iter::from_fn(|| texts.next().transpose()).collect()
    }

    #[test]
    fn a_long_text_comes_in_parts_that_begin_with_lines() {
        let text = "a line of words, and é 東京\n".repeat(150_000);
        let parts = parts(text.clone().into_bytes()).unwrap();
        assert!(parts.len() >= 3, "{}", parts.len());
        for part in &parts[1..] {
            assert!(part.starts_with("a line"));
        }
        for part in &parts {
            assert!(part.len() <= PART + 2 * SLACK);
        }
        assert_eq!(parts.concat(), text);
    }

    #[test]
    fn what_cannot_be_cut_is_one_part() {
        for line in ["東京", "\n ", "a b "] {
            let text = line.repeat(3 * PART / line.len());
            assert_eq!(parts(text.clone().into_bytes()).unwrap(), [text]);
        }
        assert!(parts(Vec::new()).unwrap().is_empty());
    }

    #[test]
    fn a_place_to_cut_far_behind_is_found() {
        let text = format!("{}\nend {}", "x ".repeat(PART), "y ".repeat(PART));
        let parts = parts(text.clone().into_bytes()).unwrap();
        assert_eq!(parts.len(), 2);
        assert!(parts[1].starts_with("end "));
        assert_eq!(parts.concat(), text);
    }

    #[test]
    fn what_is_not_utf8_is_told_by_its_place_in_the_file() {
        let check = |bytes: Vec<u8>, expected: u64| match parts(bytes) {
            Err(InputError::NotUtf8At { offset }) => assert_eq!(offset, expected),
            other => panic!("{other:?}"),
        };
        check(b"ab\xff".to_vec(), 2);
        check(b"\xc3".to_vec(), 0);
        check("é".bytes().chain(*b"\xe6\x9d").collect(), 2);
        let long = "a line\n".repeat(500_000);
        let length = long.len() as u64;
        check(long.into_bytes().into_iter().chain(*b"\xf0x").collect(), length);
    }
}
