//! How far the estimator is from exact counts, on text that it was not fitted to.

use std::error::Error;
use std::io::Write;
use std::time::Instant;

use memory_core::TokenCounter;
use tokens::{BpeCounter, Estimator};

use super::SIZES;
use super::corpus::{Kind, Piece};

/// What is measured for each kind, in per cent.
#[derive(Default)]
struct Found {
    error: f64,
    bias: f64,
    plain_error: f64,
    plain_bias: f64,
    within: [f64; 3],
}

/// Prints a row for each kind, and what they come to.
pub(crate) fn print(
    out: &mut impl Write,
    counter: &BpeCounter,
    estimator: Estimator,
    kinds: &[Kind],
) -> Result<(), Box<dyn Error>> {
    let [short, usual, long] = SIZES;
    writeln!(out, "`{}`, in per cent:\n", counter.id())?;
    writeln!(
        out,
        "| kind | error | bias | error of bytes / 4 | its bias | within the interval: {short} B | \
         {usual} B | {long} B |\n|---|---|---|---|---|---|---|---|"
    )?;
    let (mut mean, mut worst) = (Found::default(), Found::default());
    for kind in kinds {
        let found = measure(kind, estimator);
        row(out, &kind.name, &found)?;
        let number = f64::from(u32::try_from(kinds.len())?);
        mean.error += found.error / number;
        mean.plain_error += found.plain_error / number;
        for (mean, within) in mean.within.iter_mut().zip(found.within) {
            *mean += within / number;
        }
        for (worst, bias) in
            [(&mut worst.bias, found.bias), (&mut worst.plain_bias, found.plain_bias)]
        {
            if bias.abs() > worst.abs() {
                *worst = bias;
            }
        }
    }
    let summary = Found { bias: worst.bias, plain_bias: worst.plain_bias, ..mean };
    row(out, "mean; worst bias", &summary)?;
    writeln!(out)?;
    if let Some(kind) = kinds.iter().find(|kind| kind.name.starts_with("english")) {
        let texts: String = kind.pieces(long).map(|piece| piece.text.as_str()).collect();
        eprintln!("{}: {:.2} GB/s", kind.name, speed(estimator, &texts));
    }
    Ok(())
}

fn row(out: &mut impl Write, name: &str, found: &Found) -> Result<(), Box<dyn Error>> {
    let Found { error, bias, plain_error, plain_bias, within: [short, usual, long] } = found;
    writeln!(
        out,
        "| {name} | {error:.1} | {bias:+.1} | {plain_error:.1} | {plain_bias:+.1} | {short:.1} | \
         {usual:.1} | {long:.1} |"
    )?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "estimates of pieces are small")]
fn measure(kind: &Kind, estimator: Estimator) -> Found {
    let held_out = |size| kind.pieces(size).filter(|piece| !piece.is_fitted);
    let (error, bias) = errors(held_out(SIZES[2]), |piece| estimator.estimate(&piece.text) as f64);
    let (plain_error, plain_bias) = errors(held_out(SIZES[2]), |p| (p.bytes() / 4.0).ceil());
    let within = SIZES.map(|size| {
        let inside = |piece: &&Piece| {
            let interval = estimator.interval(&piece.text);
            (interval.lower as f64..=interval.upper as f64).contains(&piece.tokens)
        };
        100.0 * held_out(size).filter(inside).count() as f64 / held_out(size).count() as f64
    });
    Found { error, bias, plain_error, plain_bias, within }
}

/// The mean of the pieces' relative errors, and that of their sum.
fn errors<'a>(
    pieces: impl Iterator<Item = &'a Piece>,
    guess: impl Fn(&Piece) -> f64,
) -> (f64, f64) {
    let (mut absolute, mut number, mut guessed, mut exact) = (0.0, 0.0, 0.0, 0.0);
    for piece in pieces {
        let tokens = guess(piece);
        absolute += (tokens - piece.tokens).abs() / piece.tokens;
        number += 1.0;
        guessed += tokens;
        exact += piece.tokens;
    }
    (100.0 * absolute / number, 100.0 * (guessed / exact - 1.0))
}

/// The best of some passes over a text.
#[expect(clippy::cast_precision_loss, reason = "a megabyte or two")]
fn speed(estimator: Estimator, text: &str) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..50 {
        let start = Instant::now();
        std::hint::black_box(estimator.estimate(std::hint::black_box(text)));
        best = best.min(start.elapsed().as_secs_f64());
    }
    text.len() as f64 / best / 1e9
}
