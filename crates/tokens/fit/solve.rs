//! Least squares with weights that are not negative.

use super::automaton::FEATURES;

/// How often every weight is improved in turn.
const ROUNDS: usize = 4000;

/// Draws the weights of features that hardly occur towards [`PRIOR`].
const RIDGE: f64 = 5e-7;

/// The weight of a feature that nothing is known of, in tokens.
const PRIOR: f64 = 0.5;

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
    pub(crate) fn add(&mut self, features: &[f64; FEATURES], tokens: f64, weight: f64) {
        let present: Vec<_> = (0..FEATURES).filter(|place| features[*place] != 0.0).collect();
        for &row in &present {
            let scaled = weight * features[row];
            self.targets[row] += scaled * tokens;
            for &column in &present {
                self.products[row][column] += scaled * features[column];
            }
        }
    }

    /// Improves one weight after the other, each as far as the others allow and not below zero.
    pub(crate) fn solve(&self) -> [f64; FEATURES] {
        let diagonal = (0..FEATURES).map(|place| self.products[place][place]);
        let ridge = RIDGE * diagonal.sum::<f64>();
        let mut weights = [PRIOR; FEATURES];
        weights[0] = 0.0;
        for _ in 0..ROUNDS {
            for place in 1..FEATURES {
                let row = &self.products[place];
                let others: f64 =
                    row.iter().zip(&weights).map(|(product, weight)| product * weight).sum::<f64>()
                        - row[place] * weights[place];
                let best = (self.targets[place] + ridge * PRIOR - others) / (row[place] + ridge);
                weights[place] = best.max(0.0);
            }
        }
        weights
    }
}
