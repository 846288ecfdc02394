//! The counters, each behind the same door.

use std::error::Error;
use std::fs::read_to_string;

use memory_core::TokenCounter;

/// Counts the tokens of a text.
pub(crate) type Count = Box<dyn FnMut(&str) -> Result<usize, Box<dyn Error>>>;

/// Makes a counter ready; the argument is the path of a `tokenizer.json`.
type Load = fn(&str) -> Result<Count, Box<dyn Error>>;

/// Every counter, for `o200k_base`, by its name and version. Where a counter has several ways, it
/// is the one that costs least: what it fills is used again, and special tokens are not looked for.
pub(crate) const COUNTERS: [(&str, Load); 6] = [
    ("turnledger", turnledger),
    ("bpe-openai-0.3.2", bpe_openai),
    ("toktok-rs-0.3.0", toktok),
    ("tokenizers-1.0.0-rc.3", tokenizers),
    ("tiktoken-4.1.2", tiktoken),
    ("tiktoken-rs-0.12.1", tiktoken_rs),
];

fn turnledger(_: &str) -> Result<Count, Box<dyn Error>> {
    let counter = tokens::BpeCounter::by_name("o200k_base")?;
    Ok(Box::new(move |text| Ok(counter.count(text)?)))
}

#[expect(clippy::unnecessary_wraps, reason = "others can fail to load")]
fn bpe_openai(_: &str) -> Result<Count, Box<dyn Error>> {
    let tokenizer = bpe_openai::o200k_base();
    Ok(Box::new(move |text| Ok(tokenizer.count(text))))
}

fn toktok(_: &str) -> Result<Count, Box<dyn Error>> {
    let tokenizer =
        toktok::Tokenizer::builtin("o200k_base").map_err(|error| format!("{error:?}"))?;
    let mut ids = Vec::new();
    Ok(Box::new(move |text| {
        ids.clear();
        tokenizer.encode_into(text.as_bytes(), &mut ids);
        Ok(ids.len())
    }))
}

fn tokenizers(path: &str) -> Result<Count, Box<dyn Error>> {
    let file = tokenizers::canonicalize_str(&read_to_string(path)?)
        .map_err(|error| format!("{error:?}"))?;
    let tokenizer = tokenizers::from_json(&file).map_err(|error| error.to_string())?;
    let options = tokenizers::pipeline::EncodeOptions::no_specials();
    let mut ids = Vec::new();
    Ok(Box::new(move |text| {
        ids.clear();
        tokenizer.encode_into(text, &options, &mut ids).map_err(|error| error.to_string())?;
        Ok(ids.len())
    }))
}

fn tiktoken(_: &str) -> Result<Count, Box<dyn Error>> {
    let encoding = tiktoken::get_encoding("o200k_base").ok_or("tiktoken lost o200k_base")?;
    Ok(Box::new(move |text| Ok(encoding.count(text))))
}

#[expect(clippy::unnecessary_wraps, reason = "others can fail to load")]
fn tiktoken_rs(_: &str) -> Result<Count, Box<dyn Error>> {
    let encoding = tiktoken_rs::o200k_base_singleton();
    Ok(Box::new(move |text| Ok(encoding.count_ordinary(text))))
}
