//! Least squares with weights that are not negative.

use super::automaton::FEATURES;

/// Features that occur in a piece, and how often.
pub(crate) type Row = Vec<(u8, f64)>;

/// How often every weight is improved in turn.
const ROUNDS: usize = 4000;

/// The sums over all pieces that a fit needs.
pub(crate) struct Problem {
    products: Vec<[f64; FEATURES]>,
    targets: [f64; FEATURES],
}

impl Problem {
    pub(crate) fn new() -> Self {
        Self { products: vec![[0.0; FEATURES]; FEATURES], targets: [0.0; FEATURES] }
    }

    /// Adds a piece with its features, its tokens, and how much it counts.
    pub(crate) fn add(&mut self, features: &Row, tokens: f64, weight: f64) {
        for &(row, times) in features {
            let (row, scaled) = (usize::from(row), weight * times);
            self.targets[row] += scaled * tokens;
            for &(column, times) in features {
                self.products[row][usize::from(column)] += scaled * times;
            }
        }
    }

    /// Improves one weight after the other, each as far as the others allow and not below zero.
    /// A feature that hardly occurs is drawn towards `prior`, the more so the greater `ridge` is.
    pub(crate) fn solve(&self, prior: f64, ridge: f64) -> [f64; FEATURES] {
        let diagonal = (0..FEATURES).map(|place| self.products[place][place]);
        let ridge = ridge * diagonal.sum::<f64>();
        let mut weights = [prior; FEATURES];
        weights[0] = 0.0;
        for _ in 0..ROUNDS {
            for place in 1..FEATURES {
                let row = &self.products[place];
                let others: f64 =
                    row.iter().zip(&weights).map(|(product, weight)| product * weight).sum::<f64>()
                        - row[place] * weights[place];
                let best = (self.targets[place] + ridge * prior - others) / (row[place] + ridge);
                weights[place] = best.max(0.0);
            }
        }
        weights
    }
}
