//! Fits the weights of the estimator to exact counts.
//!
//! ```text
//! cargo run --release -p turnledger-tokens --example fit_estimator -- CORPUS > weights.rs
//! ```
//!
//! CORPUS is a folder with one folder for each kind of text (`english`, `json`, …), and text files
//! in it. Every other file is fitted to; the rest is held out. The weights go to standard output,
//! in the form of `src/estimator/weights.rs`; the errors on what was held out go to standard error,
//! beside those of bytes / 4.
//!
//! The fit is a least-squares one over pieces of three sizes, with weights that are not negative:
//! an estimate then never shrinks as a text grows. Each piece counts by its relative error, eased
//! for short ones; each kind counts the same.

#[path = "../src/estimator/automaton.rs"]
#[expect(dead_code, reason = "the estimator uses the rest")]
mod automaton;
#[path = "../src/estimator/class.rs"]
#[expect(dead_code, reason = "the estimator uses the rest")]
mod class;
mod solve;

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;

use automaton::{FEATURES, START, step};
use memory_core::TokenCounter;
use tokens::BpeCounter;

/// Shares of a token that the weights are written in; as in `src/estimator/table.rs`.
const UNIT: f64 = 2048.0;

/// Bytes of a piece: a short message, a usual one, a long one.
const SIZES: [usize; 3] = [60, 300, 1500];

/// Added to a piece's tokens before its error is divided by them.
const EASE: f64 = 8.0;

struct Piece {
    features: [f64; FEATURES],
    bytes: f64,
    tokens: f64,
}

struct Kind {
    name: String,
    fitted: Vec<Piece>,
    held_out: Vec<Piece>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let corpus = std::env::args().nth(1).ok_or("name the folder of the corpus")?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "//! The weights of the estimator, written by `fit/main.rs`.\n")?;
    writeln!(out, "use super::automaton::FEATURES;")?;
    for counter in [BpeCounter::o200k_base(), BpeCounter::cl100k_base()] {
        let kinds = read(Path::new(&corpus), &counter)?;
        let weights = fit(&kinds);
        report(counter.id().as_str(), &kinds, &weights)?;
        write_weights(&mut out, counter.id().as_str(), &weights)?;
    }
    Ok(())
}

fn read(corpus: &Path, counter: &BpeCounter) -> Result<Vec<Kind>, Box<dyn Error>> {
    let mut folders: Vec<_> = fs::read_dir(corpus)?.collect::<Result<_, _>>()?;
    folders.sort_by_key(fs::DirEntry::path);
    let mut kinds = Vec::new();
    for folder in folders {
        let name = folder.file_name().to_string_lossy().into_owned();
        let (mut fitted, mut held_out) = (Vec::new(), Vec::new());
        let mut files: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
        files.sort_by_key(fs::DirEntry::path);
        for (place, file) in files.iter().enumerate() {
            let text = fs::read_to_string(file.path())?;
            let pieces = if place % 2 == 0 { &mut fitted } else { &mut held_out };
            for size in SIZES {
                for piece in cut(&text, size) {
                    pieces.push(measure(piece, counter)?);
                }
            }
        }
        kinds.push(Kind { name, fitted, held_out });
    }
    Ok(kinds)
}

/// Pieces of about this many bytes. A third of a text is cut to each size.
fn cut(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let place = SIZES.iter().position(|known| *known == size).unwrap_or_default();
    let bound = |third: usize| text.ceil_char_boundary(text.len() * third / SIZES.len());
    let mut rest = &text[bound(place)..bound(place + 1)];
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(size.min(rest.len())));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

fn measure(text: &str, counter: &BpeCounter) -> Result<Piece, Box<dyn Error>> {
    let mut features = [0.0; FEATURES];
    let mut state = START;
    for byte in text.bytes() {
        let (next, feature) = step(state, class::class_of(byte));
        state = next;
        features[usize::from(feature)] += 1.0;
    }
    features[0] = 0.0;
    let number = |count: usize| u32::try_from(count).map(f64::from);
    Ok(Piece { features, bytes: number(text.len())?, tokens: number(counter.count(text)?)? })
}

fn fit(kinds: &[Kind]) -> [f64; FEATURES] {
    let mut problem = solve::Problem::new();
    for kind in kinds {
        let share = 1.0 / kind.fitted.iter().map(|piece| piece.bytes).sum::<f64>();
        for piece in &kind.fitted {
            let scale = piece.tokens + EASE;
            problem.add(&piece.features, piece.tokens, share * piece.bytes / (scale * scale));
        }
    }
    problem.solve()
}

fn report(counter: &str, kinds: &[Kind], weights: &[f64; FEATURES]) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stderr().lock();
    writeln!(
        out,
        "{counter}, held out: mean absolute error of pieces, bias of the whole, per cent"
    )?;
    writeln!(out, "{:<14}{:>10}{:>10}{:>12}{:>10}", "kind", "error", "bias", "bytes/4", "bias")?;
    for kind in kinds {
        let guess = |piece: &Piece| {
            piece
                .features
                .iter()
                .zip(weights)
                .map(|(feature, weight)| feature * weight)
                .sum::<f64>()
        };
        let (error, bias) = errors(&kind.held_out, guess);
        let (plain, plain_bias) = errors(&kind.held_out, |piece| (piece.bytes / 4.0).ceil());
        let name = &kind.name;
        writeln!(out, "{name:<14}{error:>10.1}{bias:>10.1}{plain:>12.1}{plain_bias:>10.1}")?;
    }
    Ok(())
}

fn errors(pieces: &[Piece], guess: impl Fn(&Piece) -> f64) -> (f64, f64) {
    let (mut absolute, mut bytes, mut guessed, mut exact) = (0.0, 0.0, 0.0, 0.0);
    for piece in pieces {
        let tokens = guess(piece).round().max(1.0);
        // By bytes, so that the short pieces, of which there are many, do not outweigh the rest.
        absolute += piece.bytes * (tokens - piece.tokens).abs() / piece.tokens;
        bytes += piece.bytes;
        guessed += tokens;
        exact += piece.tokens;
    }
    (100.0 * absolute / bytes, 100.0 * (guessed / exact - 1.0))
}

fn write_weights(
    out: &mut impl Write,
    counter: &str,
    weights: &[f64; FEATURES],
) -> Result<(), Box<dyn Error>> {
    let name = counter.to_uppercase();
    writeln!(out, "\n/// Fitted to `{counter}`, in 2048ths of a token.")?;
    writeln!(out, "#[rustfmt::skip]\npub(super) const {name}: [u16; FEATURES] = [")?;
    for row in weights.chunks(16) {
        let row: Vec<_> = row.iter().map(|weight| format!("{:.0}", weight * UNIT)).collect();
        writeln!(out, "    {},", row.join(", "))?;
    }
    writeln!(out, "];")?;
    Ok(())
}
