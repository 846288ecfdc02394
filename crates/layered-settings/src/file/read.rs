//! Finding a settings file and reading its text.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::SettingsError;
use crate::file::flatten::flatten;
use crate::file::format::{Flaw, Format};
use crate::partial::Partial;
use crate::schema::Schema;

/// The length in bytes beyond which a file is refused: settings are short, other files may not be.
const LONGEST: u64 = 1 << 20;

/// A settings file that has been read, but not yet parsed.
pub(crate) struct Document {
    pub(crate) path: PathBuf,
    format: Format,
    text: String,
}

/// Reads a file that has to exist.
pub(crate) fn read_named(path: &Path) -> Result<Document, SettingsError> {
    match open(path)? {
        Some(file) => read(path, file),
        None => Err(SettingsError::MissingFile { path: path.to_owned() }),
    }
}

/// Reads the first of some files that exists.
pub(crate) fn read_first(paths: &[PathBuf]) -> Result<Option<Document>, SettingsError> {
    for path in paths {
        if let Some(file) = open(path)? {
            return read(path, file).map(Some);
        }
    }
    Ok(None)
}

impl Document {
    /// Parses the file and checks every value against the schema.
    pub(crate) fn layer(&self, schema: &Schema) -> Result<Partial, SettingsError> {
        let table = self.format.parse(&self.text).map_err(|flaw| self.syntax(flaw))?;
        flatten(schema, &self.path, table)
    }

    fn syntax(&self, Flaw { line, reason }: Flaw) -> SettingsError {
        SettingsError::Syntax { path: self.path.clone(), line, reason }
    }
}

fn open(path: &Path) -> Result<Option<File>, SettingsError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            // A link is there, and whoever made it wants its file to be read.
            match path.read_link() {
                Ok(target) => Err(SettingsError::BrokenLink { path: path.to_owned(), target }),
                Err(_) => Ok(None),
            }
        }
        Err(error) => Err(unreadable(path, error)),
    }
}

fn read(path: &Path, file: File) -> Result<Document, SettingsError> {
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(SettingsError::Directory { path: path.to_owned() });
    }
    let format =
        Format::of(path).ok_or_else(|| SettingsError::UnknownFormat { path: path.to_owned() })?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too long, without trusting its metadata.
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(SettingsError::LargeFile { path: path.to_owned(), limit: LONGEST });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        // The error holds the file's bytes, so that only the place is kept.
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        let reason = "not valid UTF-8".to_owned();
        SettingsError::Syntax { path: path.to_owned(), line: Some(line), reason }
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok(Document { path: path.to_owned(), format, text })
}

fn unreadable(path: &Path, source: io::Error) -> SettingsError {
    SettingsError::UnreadableFile { path: path.to_owned(), source }
}
