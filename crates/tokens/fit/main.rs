//! Fits the weights of the estimator to exact counts, and measures what was fitted.
//!
//! ```text
//! cargo xtask corpus
//! cargo run --release -p turnledger-tokens --example fit_estimator -- target/corpus > weights.rs
//! cargo run --release -p turnledger-tokens --example fit_estimator -- target/corpus --check
//! ```
//!
//! The first argument is a folder with a text file for each kind of text (`english_prose.txt`, …).
//! Every other stretch of a file is fitted to; the rest is held out. The weights go to standard
//! output, in the form of `src/estimator/weights.rs`. With `--check` the estimator of the crate is
//! measured on what was held out, and its errors are printed beside those of bytes / 4: that is
//! `src/estimator/errors.md`, which its documentation shows. Its speed goes to standard error.
//!
//! No weight is negative: an estimate never shrinks as a text grows. Each kind counts the same.

#![expect(clippy::print_stderr, reason = "a program for people")]

#[path = "../src/estimator/automaton.rs"]
#[expect(dead_code, reason = "the estimator uses the rest")]
mod automaton;
mod check;
#[path = "../src/estimator/class.rs"]
mod class;
mod corpus;
mod fit;
mod solve;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

use automaton::FEATURES;
use memory_core::TokenCounter;
use tokens::{BpeCounter, Estimator};

/// Shares of a token that the weights are written in; as in `src/estimator/table.rs`.
const UNIT: f64 = 2048.0;

/// Bytes of a piece: a short message, a usual one, a long one.
const SIZES: [usize; 3] = [60, 300, 1500];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("name the folder of the corpus")?);
    let checks = arguments.next().is_some_and(|word| word == "--check");
    let mut out = std::io::stdout().lock();
    if !checks {
        writeln!(out, "//! The weights of the estimator, written by `fit/main.rs`.\n")?;
        writeln!(out, "use super::automaton::FEATURES;")?;
    }
    for counter in [BpeCounter::o200k_base(), BpeCounter::cl100k_base()] {
        let kinds = corpus::read(&folder, &counter)?;
        if checks {
            check::print(&mut out, &counter, Estimator::for_counter(counter.id()), &kinds)?;
        } else {
            let (id, weights) = (counter.id(), fit::weights(&kinds));
            let spreads = fit::spreads(&kinds, &weights);
            let name = id.as_str().to_uppercase();
            write_weights(&mut out, &format!("The tokens of `{id}`"), &name, &weights)?;
            let spread = format!("How far an estimate for `{id}` may be off");
            write_weights(&mut out, &spread, &format!("{name}_SPREAD"), &spreads)?;
        }
    }
    Ok(())
}

fn write_weights(
    out: &mut impl Write,
    meaning: &str,
    name: &str,
    weights: &[f64; FEATURES],
) -> Result<(), Box<dyn Error>> {
    writeln!(out, "\n/// {meaning}, in 2048ths of a token.")?;
    writeln!(out, "#[rustfmt::skip]\npub(super) const {name}: [u16; FEATURES] = [")?;
    for row in weights.chunks(16) {
        let row: Vec<_> = row.iter().map(|weight| format!("{:.0}", weight * UNIT)).collect();
        writeln!(out, "    {},", row.join(", "))?;
    }
    writeln!(out, "];")?;
    Ok(())
}
