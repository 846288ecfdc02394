//! Files and standard input as sources of bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use super::error::InputError;

/// Bytes that are read from a file at once.
const BUFFER: usize = 256 * 1024;

/// A source, by the names that errors and ids call it.
#[derive(Debug, Clone)]
pub(super) struct SourceName {
    /// For errors: the path as it was given.
    pub(super) shown: Arc<str>,
    /// For ids: the file's name without its folder, so that the id stays the same wherever the
    /// command is started; `-` for standard input.
    pub(super) short: String,
}

impl SourceName {
    pub(super) fn of(path: &Path) -> Self {
        if is_standard_input(path) {
            return Self { shown: "standard input".into(), short: "-".into() };
        }
        let short = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self { shown: path.display().to_string().into(), short }
    }
}

/// Opens a source.
pub(super) fn open(path: &Path) -> Result<Box<dyn BufRead>, InputError> {
    if is_standard_input(path) {
        return Ok(Box::new(BufReader::with_capacity(BUFFER, io::stdin())));
    }
    let read_error = |source| InputError::Read { source };
    let file = File::open(path).map_err(read_error)?;
    if file.metadata().map_err(read_error)?.is_dir() {
        return Err(InputError::Directory);
    }
    Ok(Box::new(BufReader::with_capacity(BUFFER, file)))
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_for_ids_does_not_depend_on_the_folder() {
        let check = |path: &str, shown: &str, short: &str| {
            let name = SourceName::of(Path::new(path));
            assert_eq!((&*name.shown, name.short.as_str()), (shown, short));
        };
        check("-", "standard input", "-");
        check("a.jsonl", "a.jsonl", "a.jsonl");
        check("/tmp/x/a.jsonl", "/tmp/x/a.jsonl", "a.jsonl");
        check("..", "..", "..");
    }
}
