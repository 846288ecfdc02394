//! The counter itself.

use std::error::Error;
use std::fmt;
use std::path::Path;

use memory_core::{CountError, CounterId, TokenCounter};
use tokenizers::Tokenizer;

use super::file::File;
use crate::error::LoadError;
use crate::pool::guard::guarded;

/// So many hexadecimal digits of the file's hash stand in the id: 128 bits.
const HASH_DIGITS: usize = 32;

/// Counts tokens as a Hugging Face `tokenizer.json` says.
///
/// Every text is ordinary text: added tokens, special or not, are counted as the characters that
/// they are, none is put before or after, and nothing is padded, truncated or drawn at random. A
/// file that has added tokens for ordinary text, such as runs of spaces, so counts a little more
/// than its model does.
///
/// The id is `hugging-face-` and a hash of the file's bytes, so that tallies of two files are never
/// taken for each other's.
///
/// # Examples
///
/// ```
/// use memory_core::TokenCounter;
/// use tokens::HuggingFaceCounter;
///
/// let file = br#"{
///     "version": "1.0",
///     "pre_tokenizer": {"type": "Whitespace"},
///     "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "two": 1, "words": 2}, "unk_token": "[UNK]"}
/// }"#;
/// let counter = HuggingFaceCounter::from_bytes("two-words.json", file)?;
/// assert_eq!(counter.count("two words")?, 2);
/// assert_eq!(counter.count("[UNK]")?, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HuggingFaceCounter {
    id: CounterId,
    tokenizer: Tokenizer,
    is_byte_level: bool,
}

impl HuggingFaceCounter {
    /// Reads the counter from a file.
    ///
    /// # Errors
    ///
    /// [`LoadError::Unreadable`] where the file cannot be read, and as for
    /// [`from_bytes`](Self::from_bytes).
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, LoadError> {
        let file = path.as_ref().display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Self::from_bytes(file, &bytes),
            Err(source) => Err(LoadError::Unreadable { file, source }),
        }
    }

    /// Makes the counter from the bytes of a file; `name` says in errors which file it is.
    ///
    /// # Errors
    ///
    /// [`LoadError::Tokenizer`] where the bytes are no `tokenizer.json` that can be used.
    pub fn from_bytes(name: impl Into<String>, bytes: &[u8]) -> Result<Self, LoadError> {
        let name = name.into();
        // Some files that are inconsistent make the tokenizer's own code panic.
        let loaded = guarded(|| Self::load(bytes));
        loaded
            .unwrap_or_else(|_| Err("its parts contradict each other".into()))
            .map_err(|source| LoadError::Tokenizer { file: name, source })
    }

    fn load(bytes: &[u8]) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut file = File::parse(bytes)?;
        let is_byte_level = file.is_byte_level();
        file.take_texts_literally();
        let tokenizer = Tokenizer::from_bytes(file.to_bytes()?)?;
        // Loading does not use all parts of a model; counting does.
        tokenizer.encode_fast("a", false)?;
        let hash = blake3::hash(bytes).to_hex();
        let id = CounterId::new(format!("hugging-face-{}", &hash[..HASH_DIGITS]))?;
        Ok(Self { id, tokenizer, is_byte_level })
    }
}

impl TokenCounter for HuggingFaceCounter {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        if text.is_empty() {
            return Ok(0);
        }
        match self.tokenizer.encode_fast(text, false) {
            Ok(encoding) => Ok(encoding.len()),
            Err(source) => Err(CountError::Failed { counter: self.id.clone(), source }),
        }
    }

    /// The bytes of the text, for byte-level BPE without a normalizer; none for other models.
    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.is_byte_level.then_some(text.len())
    }

    /// Not safe: the time that a text takes depends on its kind, and is not bounded by its length.
    fn inline_safe(&self) -> bool {
        false
    }
}

impl fmt::Debug for HuggingFaceCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HuggingFaceCounter").field("id", &self.id).finish_non_exhaustive()
    }
}
