//! How much is measured, and with what.

use std::path::{Path, PathBuf};

use crate::ledger::{self, Outcome};

/// How much is measured, and with what.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) common: ledger::Settings,
    pub(super) corpus: PathBuf,
    pub(super) competitors: Option<PathBuf>,
}

/// The kinds of text, each a file of the corpus.
pub(super) const KINDS: [&str; 13] = [
    "english_prose",
    "english_chat",
    "rust",
    "python",
    "json",
    "markdown",
    "chinese",
    "japanese",
    "korean",
    "russian",
    "arabic",
    "hindi",
    "emoji_mixed",
];

impl Settings {
    /// Settings with this corpus, and with the program of the competitors where it is there.
    ///
    /// # Errors
    ///
    /// Where the corpus lacks a kind of text.
    pub fn new(
        common: ledger::Settings,
        corpus: &Path,
        competitors: Option<&Path>,
    ) -> Outcome<Self> {
        let settings = Self {
            common,
            corpus: corpus.to_owned(),
            competitors: competitors.map(Path::to_owned),
        };
        for kind in KINDS {
            let path = settings.path(kind);
            if !path.is_file() {
                let path = path.display();
                return Err(format!("{path} is missing; `cargo xtask corpus` makes it").into());
            }
        }
        Ok(settings)
    }

    /// The file with the text of a kind.
    pub(super) fn path(&self, kind: &str) -> PathBuf {
        self.corpus.join(format!("{kind}.txt"))
    }

    /// The text of a kind.
    pub(super) fn text(&self, kind: &str) -> Outcome<String> {
        let path = self.path(kind);
        Ok(std::fs::read_to_string(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?)
    }
}

/// Cuts a text into messages of so many bytes, or a few more where a character stands in the way.
pub(super) fn messages(mut text: &str, bytes: usize) -> Vec<&str> {
    let mut messages = Vec::new();
    while !text.is_empty() {
        let (message, rest) = text.split_at(text.ceil_char_boundary(bytes.max(1)));
        messages.push(message);
        text = rest;
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_the_text_and_end_between_characters() {
        let check = |text: &str, bytes: usize, expected: &[&str]| {
            assert_eq!(messages(text, bytes), expected);
        };
        check("", 3, &[]);
        check("abcdefg", 3, &["abc", "def", "g"]);
        check("aéa", 2, &["aé", "a"]);
    }
}
