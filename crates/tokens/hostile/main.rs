//! Compares the counters with the reference over many hostile texts and over a corpus.
//!
//! ```text
//! cargo xtask hostile --strings 10000000 --seed 7 --corpus FOLDER
//! ```
//!
//! Every text is counted under each encoding by the counter of this crate and by `bpe-openai`,
//! whole and cut at the places that the counter calls safe. The first difference ends the run; it
//! is printed as short as it can be made. The texts are those of `tests/reference`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

#[path = "../tests/reference/equality/mod.rs"]
mod equality;
mod work;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use equality::{Generator, Pair};

struct Given {
    strings: u64,
    seed: u64,
    corpus: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let given = given(std::env::args().skip(1))?;
    let pairs = Pair::all();
    if let Some(folder) = &given.corpus {
        corpus(folder, &pairs)?;
    }
    let (seed, start) = (given.seed, Instant::now());
    println!("hostile: {} strings, seed {seed}", given.strings);
    let generator = Generator::new(seed);
    let tried = work::run(given.strings, &generator, &pairs, &|done| {
        eprintln!("{done} strings, {} s", start.elapsed().as_secs());
    })?;
    println!(
        "hostile: equal: {} strings, {} bytes, {} of them also in parts, seed {seed}, {} s",
        tried.texts,
        tried.bytes,
        tried.cut,
        start.elapsed().as_secs()
    );
    Ok(())
}

fn given(mut words: impl Iterator<Item = String>) -> Result<Given, Box<dyn Error>> {
    let mut given = Given { strings: 1_000_000, seed: 1, corpus: None };
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--strings" => given.strings = value.parse()?,
            "--seed" => given.seed = value.parse()?,
            "--corpus" => given.corpus = Some(PathBuf::from(value)),
            _ => return Err(format!("{word} is none of --strings, --seed and --corpus").into()),
        }
    }
    Ok(given)
}

/// Compares each file of a corpus as a whole, and each of its documents.
fn corpus(folder: &Path, pairs: &[Pair; 2]) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    for file in
        std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?
    {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(format!("{} holds no text: run `cargo xtask corpus`", folder.display()).into());
    }
    files.sort();
    println!("{:<14}{:>10}{:>12}{:>12}", "kind", "bytes", "o200k_base", "cl100k_base");
    for path in files {
        let kind = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(&path)?;
        for document in text.split("\n\n") {
            Pair::compare(pairs, document).map_err(|difference| format!("{kind}: {difference}"))?;
        }
        let whole = Pair::compare(pairs, &text)?;
        println!("{kind:<14}{:>10}{:>12}{:>12}", whole.bytes, whole.tokens[0], whole.tokens[1]);
    }
    Ok(())
}
