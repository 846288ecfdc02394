//! Lines on standard output, until nobody reads them.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

use crate::error::CliError;

/// Writes lines; where the reader has gone, that is no error, and nothing more is written.
pub(crate) struct Output {
    writer: BufWriter<Box<dyn Write + Send>>,
    terminal: bool,
    closed: bool,
}

impl Output {
    /// The process's standard output.
    pub(crate) fn standard() -> Self {
        let terminal = io::stdout().is_terminal();
        Self { terminal, ..Self::to(io::stdout()) }
    }

    fn to(writer: impl Write + Send + 'static) -> Self {
        Self { writer: BufWriter::new(Box::new(writer)), terminal: false, closed: false }
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), CliError> {
        self.attempt(|writer| writeln!(writer, "{text}"))?;
        // Whoever watches sees each line at once; a pipe gets them in larger pieces.
        if self.terminal { self.flush() } else { Ok(()) }
    }

    /// Writes a part of a line.
    pub(crate) fn part(&mut self, text: &str) -> Result<(), CliError> {
        self.attempt(|writer| writer.write_all(text.as_bytes()))
    }

    /// Writes one JSON value on a line.
    pub(crate) fn json(&mut self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string(value)
            .map_err(|error| CliError::Output { source: error.into() })?;
        self.line(text)
    }

    /// Hands on what is still held.
    pub(crate) fn flush(&mut self) -> Result<(), CliError> {
        self.attempt(Write::flush)
    }

    fn attempt(
        &mut self,
        write: impl FnOnce(&mut BufWriter<Box<dyn Write + Send>>) -> io::Result<()>,
    ) -> Result<(), CliError> {
        if self.closed {
            return Ok(());
        }
        match write(&mut self.writer) {
            Ok(()) => Ok(()),
            Err(error) => {
                // The buffer keeps what it could not write; it must not be tried again.
                self.closed = true;
                if error.kind() == io::ErrorKind::BrokenPipe {
                    Ok(())
                } else {
                    Err(CliError::Output { source: error })
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Refusing(io::ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        let mut output = Output::to(Refusing(io::ErrorKind::BrokenPipe));
        output.line("x").unwrap();
        assert!(!output.is_closed(), "nothing was handed on yet");
        output.flush().unwrap();
        assert!(output.is_closed());
        output.line("x").unwrap();
        output.flush().unwrap();
    }

    #[test]
    fn a_full_disk_is_an_error() {
        let mut output = Output::to(Refusing(io::ErrorKind::StorageFull));
        output.line("x").unwrap();
        assert!(matches!(output.flush(), Err(CliError::Output { .. })));
    }
}
