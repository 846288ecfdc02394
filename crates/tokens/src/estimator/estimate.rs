//! The estimator itself.

use memory_core::CounterId;

use super::table::{self, Table};

/// Guesses how many tokens a text has, in one pass over its bytes and without allocating.
///
/// Each byte adds the tokens that such a byte adds on average after what came before it: a letter
/// that begins a word adds most of a token, the third digit of a number nothing. The averages were
/// fitted to exact counts of many kinds of text, one set for each encoding. The guess is at least 1
/// for a text that is not empty, and at most its bytes. It is the same on every machine.
///
/// # Examples
///
/// ```
/// use memory_core::TokenCounter;
/// use tokens::{BpeCounter, Estimator};
///
/// let text = "The ferry leaves at nine, unless the wind turns. Please be there ten minutes early.";
/// let (guess, exact) = (Estimator::default().estimate(text), 18);
/// assert_eq!(BpeCounter::o200k_base().count(text)?, exact);
/// assert!(guess.abs_diff(exact as u64) <= 3, "{guess}");
/// assert_eq!(Estimator::default().estimate(""), 0);
/// # Ok::<(), memory_core::CountError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Estimator {
    table: &'static Table,
}

impl Estimator {
    /// The estimator for `o200k_base`.
    pub const fn o200k_base() -> Self {
        Self { table: &table::O200K_BASE }
    }

    /// The estimator for `cl100k_base`.
    pub const fn cl100k_base() -> Self {
        Self { table: &table::CL100K_BASE }
    }

    /// The estimator that was fitted to this counter; for other counters that for `o200k_base`.
    pub fn for_counter(counter: &CounterId) -> Self {
        match counter.as_str() {
            "cl100k_base" => Self::cl100k_base(),
            _ => Self::o200k_base(),
        }
    }

    /// Guesses the tokens of `text`.
    pub fn estimate(&self, text: &str) -> u64 {
        let bytes = text.len() as u64;
        self.table.tokens(text.as_bytes()).clamp(bytes.min(1), bytes)
    }
}

impl Default for Estimator {
    /// [`Estimator::o200k_base`].
    fn default() -> Self {
        Self::o200k_base()
    }
}
