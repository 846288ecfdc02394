//! From pieces to weights.

use super::SIZES;
use super::automaton::FEATURES;
use super::corpus::{Kind, Piece};
use super::solve::Problem;

/// Added to the tokens that a piece's error is divided by, so that the shortest ones do not
/// outweigh the rest.
const EASE: f64 = 4.0;

/// How often the pieces are weighed anew.
const ROUNDS: usize = 4;

/// What is thought of a feature that nothing is known of: its tokens, and how far they are off.
const PRIOR: f64 = 0.5;
const PRIOR_SPREAD: f64 = 0.05;

/// How much is thought of that.
const RIDGE: f64 = 5e-7;
const RIDGE_SPREAD: f64 = 2e-4;

/// The share of the pieces that are to lie within their intervals.
const WITHIN: f64 = 0.96;

/// How much wider the interval of a short text is; as in `src/estimator/interval.rs`.
const WIDER: f64 = 8.0;

/// Least squares of the relative errors. They are relative to the guess of the round before, not
/// to the exact count: that would favour guesses that are too low.
pub(crate) fn weights(kinds: &[Kind]) -> [f64; FEATURES] {
    let mut weights = None;
    for _ in 0..ROUNDS {
        let mut problem = Problem::new();
        each(kinds, |piece, share| {
            let scale = weights.as_ref().map_or(piece.tokens, |weights| piece.guess(weights));
            let scale = scale + EASE;
            problem.add(&piece.features, piece.tokens, share / (scale * scale));
        });
        weights = Some(problem.solve(PRIOR, RIDGE));
    }
    weights.unwrap_or([0.0; FEATURES])
}

/// The same for the errors that are left, stretched until enough pieces lie within.
pub(crate) fn spreads(kinds: &[Kind], weights: &[f64; FEATURES]) -> [f64; FEATURES] {
    let mut problem = Problem::new();
    each(kinds, |piece, share| {
        let guess = piece.guess(weights);
        let off = (piece.tokens - guess).abs() / wider(guess);
        let scale = guess + EASE;
        problem.add(&piece.features, off, share / (scale * scale));
    });
    let spreads = problem.solve(PRIOR_SPREAD, RIDGE_SPREAD);
    let mut stretches = Vec::new();
    each(kinds, |piece, _| {
        let guess = piece.guess(weights);
        // Half a token is lost by rounding.
        let off = ((piece.tokens - guess).abs() - 0.5).max(0.0);
        stretches.push(off / (piece.guess(&spreads) * wider(guess)));
    });
    stretches.sort_by(f64::total_cmp);
    let stretch = quantile(&stretches, WITHIN);
    spreads.map(|spread| spread * stretch)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "some hundred thousand pieces"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place).copied().unwrap_or(1.0)
}

fn wider(guess: f64) -> f64 {
    let root = guess.max(1.0).sqrt();
    (root + WIDER) / root
}

/// Gives every piece that is fitted to, with its share of its kind.
fn each(kinds: &[Kind], mut give: impl FnMut(&Piece, f64)) {
    for kind in kinds {
        let pieces =
            || SIZES.iter().flat_map(|size| kind.pieces(*size)).filter(|piece| piece.is_fitted);
        let bytes: f64 = pieces().map(Piece::bytes).sum();
        for piece in pieces() {
            give(piece, piece.bytes() / bytes);
        }
    }
}
