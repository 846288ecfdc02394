//! The estimator itself.

use memory_core::CounterId;

use super::interval::Interval;
use super::table::{self, LazyTable, UNIT};

/// Guesses how many tokens a text has, in one pass over its bytes and without allocating, but for a
/// table of 256 KiB that the first guess makes.
///
/// Each byte adds the tokens that such a byte adds on average after what came before it: a letter
/// that begins a word adds most of a token, the third digit of a number nothing. The averages were
/// fitted to exact counts of many kinds of text, one set for each encoding. The guess is at least 1
/// for a text that is not empty, and at most its bytes. It is the same on every machine.
///
/// # Errors of the estimates
///
/// The weights were fitted to one half of a corpus and measured on the other, in pieces of 1500
/// bytes: the mean of the pieces' errors without their signs, the error of all pieces together, and
/// the same for a quarter of the bytes. The last columns say how many counts of pieces of 60, 300
/// and 1500 bytes lie within the [`interval`](Self::interval). "Emoji mixed" has messages in many
/// languages, some of them in scripts that no other kind has.
///
#[doc = include_str!("errors.md")]
///
/// `cargo xtask corpus` makes the corpus, and `cargo run --release -p turnledger-tokens --example
/// fit_estimator -- target/corpus --check` prints these tables.
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
    table: &'static LazyTable,
    spread: &'static LazyTable,
}

impl Estimator {
    /// The estimator for `o200k_base`.
    pub const fn o200k_base() -> Self {
        Self { table: &table::O200K_BASE, spread: &table::O200K_BASE_SPREAD }
    }

    /// The estimator for `cl100k_base`.
    pub const fn cl100k_base() -> Self {
        Self { table: &table::CL100K_BASE, spread: &table::CL100K_BASE_SPREAD }
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
        let sum = self.table.sum(text.as_bytes());
        ((sum + UNIT / 2) / UNIT).clamp(bytes.min(1), bytes)
    }

    /// Guesses the tokens of `text`, and between which figures they lie.
    ///
    /// It reads the text once more than [`estimate`](Self::estimate), and gives the same guess. The
    /// interval follows from what the text consists of: it is narrow for English, and wide for
    /// short texts and rare scripts.
    ///
    /// # Examples
    ///
    /// ```
    /// use tokens::Estimator;
    ///
    /// let interval = Estimator::default().interval("Is the ferry at nine still running?");
    /// assert!(interval.lower <= 8 && 8 <= interval.upper);
    /// assert!(interval.upper < 14);
    /// ```
    pub fn interval(&self, text: &str) -> Interval {
        let spread = self.spread.sum(text.as_bytes());
        Interval::around(self.estimate(text), spread, UNIT, text.len() as u64)
    }
}

impl Default for Estimator {
    /// [`Estimator::o200k_base`].
    fn default() -> Self {
        Self::o200k_base()
    }
}
