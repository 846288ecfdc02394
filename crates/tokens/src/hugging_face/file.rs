//! A `tokenizer.json`, changed so that it takes every text as ordinary text.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Parts that change how many tokens come out, and that say nothing about the text itself.
const PARTS: [&str; 3] = ["truncation", "padding", "post_processor"];

/// What takes the place of a name that no text may match: no piece of a text is empty.
const UNMATCHED: &str = "";

/// What splits a text in such a way that byte-level BPE still has at most one token for each byte:
/// nothing here adds a byte.
const SPLITTERS: [&str; 7] = [
    "BertPreTokenizer",
    "CharDelimiterSplit",
    "Digits",
    "Punctuation",
    "Split",
    "Whitespace",
    "WhitespaceSplit",
];

/// The parsed file.
#[derive(Debug)]
pub(super) struct File(Map<String, Value>);

impl File {
    /// # Errors
    ///
    /// What is wrong with the JSON.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes).map(Self)
    }

    /// Whether no text has more tokens than bytes.
    pub(super) fn is_byte_level(&self) -> bool {
        let Some(Value::Object(model)) = self.0.get("model") else { return false };
        let is_off =
            |key: &str| matches!(model.get(key), None | Some(Value::Null | Value::Bool(false)));
        let has_merges = model.get("merges").is_some_and(Value::is_array);
        let plain = matches!(self.0.get("normalizer"), None | Some(Value::Null));
        let splitters = match self.0.get("pre_tokenizer") {
            Some(Value::Object(one)) => match one.get("pretokenizers") {
                Some(Value::Array(several)) => {
                    several.iter().filter_map(Value::as_object).collect()
                }
                _ => vec![one],
            },
            _ => Vec::new(),
        };
        let kind = |splitter: &Map<String, Value>| {
            splitter.get("type").and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let keeps_length = |splitter: &&Map<String, Value>| match kind(splitter).as_str() {
            "ByteLevel" => splitter.get("add_prefix_space") == Some(&Value::Bool(false)),
            other => SPLITTERS.contains(&other),
        };
        let to_bytes = splitters.iter().filter(|splitter| kind(splitter) == "ByteLevel").count();
        let all = splitters.iter().all(keeps_length);
        plain && has_merges && is_off("byte_fallback") && to_bytes == 1 && all
    }

    /// Takes out all that would make a text more, less or other than the characters that it is.
    ///
    /// Added tokens are matched in a text before the model sees it, so none is left. A model may
    /// have special tokens among its own pieces as well; those lose their names.
    pub(super) fn take_texts_literally(&mut self) {
        for part in PARTS {
            self.0.insert(part.to_owned(), Value::Null);
        }
        let added = self.0.insert("added_tokens".to_owned(), Value::Array(Vec::new()));
        let mut special = special_tokens(added.as_ref());
        let Some(Value::Object(model)) = self.0.get_mut("model") else { return };
        // These make the model draw at random.
        for random in ["dropout", "alpha", "nbest_size"] {
            model.remove(random);
        }
        let merged = merged(model);
        special.retain(|token| !merged.contains(token));
        let unknown_token = model.get("unk_token").and_then(Value::as_str).map(str::to_owned);
        let unknown_piece = model.get("unk_id").and_then(Value::as_u64);
        // A vocabulary maps pieces to ids, or, for Unigram, lists pieces with their scores.
        match model.get_mut("vocab") {
            Some(Value::Object(vocab)) => {
                let unknown_id = unknown_token.and_then(|token| vocab.remove(&token));
                vocab.retain(|piece, _| !special.contains(piece));
                if let Some(id) = unknown_id {
                    vocab.insert(UNMATCHED.to_owned(), id);
                    model.insert("unk_token".to_owned(), UNMATCHED.into());
                }
            }
            Some(Value::Array(pieces)) => {
                for (id, piece) in (0_u64..).zip(pieces) {
                    let Some(name) = piece.get_mut(0) else { continue };
                    if unknown_piece == Some(id)
                        || name.as_str().is_some_and(|name| special.contains(name))
                    {
                        *name = UNMATCHED.into();
                    }
                }
            }
            _ => {}
        }
    }

    /// The file again.
    ///
    /// # Errors
    ///
    /// None that a parsed file is known to cause.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&self.0)
    }
}

/// What the file calls special among its added tokens.
fn special_tokens(added: Option<&Value>) -> HashSet<String> {
    let added = added.and_then(Value::as_array).into_iter().flatten();
    let special = added.filter(|token| token.get("special") == Some(&Value::Bool(true)));
    let contents = special.filter_map(|token| token.get("content").and_then(Value::as_str));
    contents.map(str::to_owned).collect()
}

/// The pieces that merges are made of and come to: a model cannot be loaded without them, and they
/// are reached by merging only.
fn merged(model: &Map<String, Value>) -> HashSet<String> {
    let prefix = model.get("continuing_subword_prefix").and_then(Value::as_str).unwrap_or_default();
    let merges = model.get("merges").and_then(Value::as_array).into_iter().flatten();
    let pairs = merges.filter_map(|merge| match merge {
        Value::String(pair) => pair.split_once(' '),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(left), Value::String(right)] => Some((left.as_str(), right.as_str())),
            _ => None,
        },
        _ => None,
    });
    let pieces = pairs.flat_map(|(left, right)| {
        let rest = right.strip_prefix(prefix).unwrap_or(right);
        [left.to_owned(), right.to_owned(), format!("{left}{rest}")]
    });
    pieces.collect()
}
