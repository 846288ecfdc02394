//! A counter that is corrected by what another one was found to count.

use std::sync::Arc;

use memory_core::{CacheLookups, CountError, CounterId, IdError, TextCount, TokenCounter};

/// What a counter is to be multiplied by, learned from pairs of its counts and exact ones.
///
/// The factor is the sum of the exact counts divided by the sum of the inexact ones: with it, the
/// counts of all that was learned from add up to the exact sum, and long texts weigh more than
/// short ones, as they do in a bill. It is kept as a fraction, so that the same pairs give the same
/// counts on every machine.
///
/// # Examples
///
/// ```
/// use tokens::Calibration;
///
/// // 100 tokens were really 110, and 300 were 350.
/// let calibration = Calibration::learned([(100, 110), (300, 350)]).expect("counts to learn from");
/// assert_eq!(calibration.factor(), 1.15);
/// assert_eq!(calibration.apply(1000), 1150);
/// assert_eq!(Calibration::learned([]), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Calibration {
    exact: u64,
    inexact: u64,
}

impl Calibration {
    /// Learns from pairs of an inexact count and the exact count of the same text.
    ///
    /// None where either side adds up to nothing, so that there is nothing to learn from.
    pub fn learned(pairs: impl IntoIterator<Item = (u64, u64)>) -> Option<Self> {
        let (inexact, exact) = pairs.into_iter().fold((0_u64, 0_u64), |sums, pair| {
            (sums.0.saturating_add(pair.0), sums.1.saturating_add(pair.1))
        });
        let divisor = greatest_common_divisor(exact, inexact);
        (exact > 0 && inexact > 0)
            .then(|| Self { exact: exact / divisor, inexact: inexact / divisor })
    }

    /// What counts are multiplied by.
    #[expect(clippy::cast_precision_loss, reason = "the factor is for people to read")]
    pub fn factor(&self) -> f64 {
        self.exact as f64 / self.inexact as f64
    }

    /// A count, corrected and rounded to the nearest whole one, halves up; at least 1 where it was.
    pub fn apply(&self, tokens: u64) -> u64 {
        let (exact, inexact) = (u128::from(self.exact), u128::from(self.inexact));
        let rounded = (u128::from(tokens) * exact + inexact / 2) / inexact;
        u64::try_from(rounded).unwrap_or(u64::MAX).max(tokens.min(1))
    }
}

fn greatest_common_divisor(left: u64, right: u64) -> u64 {
    if right == 0 { left.max(1) } else { greatest_common_divisor(right, left % right) }
}

/// Counts with a counter that is not exact, and corrects it by a factor.
///
/// It serves where a model's own counter is out of reach but some of its counts are known, from a
/// provider's bills for example. The counts are closer, and still not exact: they say so, and a
/// tally by them is `Final(Fallback)`, which is not counted anew while this is the counter itself.
/// Put as the second of a [`Fallback`](crate::Fallback), it stands in for a remote counter.
///
/// The id is the inner counter's with the factor: `o200k_base*23/20`. Another factor is another
/// counter.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use memory_core::TokenCounter;
/// use tokens::{BpeCounter, Calibrated, Calibration};
///
/// let calibration = Calibration::learned([(400, 460)]).expect("counts to learn from");
/// let counter = Calibrated::new(Arc::new(BpeCounter::o200k_base()), calibration)?;
/// assert_eq!(counter.id().as_str(), "o200k_base*23/20");
/// assert_eq!(counter.count("Hello, world!")?, 5); // 4 * 1.15, rounded
/// assert!(counter.count_text("Hello, world!")?.by_fallback);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Calibrated {
    id: CounterId,
    inner: Arc<dyn TokenCounter>,
    calibration: Calibration,
}

impl Calibrated {
    /// Corrects what `inner` counts.
    ///
    /// # Errors
    ///
    /// [`IdError`] where the id of `inner` is too long to be made longer by the factor.
    pub fn new(inner: Arc<dyn TokenCounter>, calibration: Calibration) -> Result<Self, IdError> {
        let Calibration { exact, inexact } = calibration;
        let id = CounterId::new(format!("{}*{exact}/{inexact}", inner.id()))?;
        Ok(Self { id, inner, calibration })
    }

    /// What the counts are multiplied by.
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }
}

#[deny(clippy::missing_trait_methods)]
impl TokenCounter for Calibrated {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let counted = self.count_text(text)?;
        Ok(usize::try_from(counted.tokens).unwrap_or(usize::MAX))
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        let counted = self.inner.count_text(text)?;
        Ok(TextCount::by_fallback(self.calibration.apply(counted.tokens)))
    }

    /// Never: there is nothing better to count anew with.
    fn is_answering(&self) -> bool {
        false
    }

    /// The inner counter's bound, corrected: a larger count never becomes the smaller one.
    fn upper_bound(&self, text: &str) -> Option<usize> {
        let bound = self.calibration.apply(self.inner.upper_bound(text)? as u64);
        Some(usize::try_from(bound).unwrap_or(usize::MAX))
    }

    fn inline_safe(&self) -> bool {
        self.inner.inline_safe()
    }

    /// Nowhere: each part would be rounded by itself.
    fn safe_cut(&self, _: &str, _: usize) -> Option<usize> {
        None
    }

    fn is_cpu_bound(&self) -> bool {
        self.inner.is_cpu_bound()
    }

    fn cache_lookups(&self) -> CacheLookups {
        self.inner.cache_lookups()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decorators::testing::{failure, named};

    #[test]
    fn the_factor_is_the_ratio_of_the_sums() {
        let check = |pairs: &[(u64, u64)], expected: Option<(u64, u64)>| {
            let learned = Calibration::learned(pairs.iter().copied());
            assert_eq!(learned.map(|it| (it.exact, it.inexact)), expected, "{pairs:?}");
        };
        check(&[(10, 12)], Some((6, 5)));
        check(&[(10, 12), (30, 36)], Some((6, 5)));
        check(&[(1, 2), (999, 998)], Some((1, 1)));
        check(&[(0, 0), (4, 2)], Some((1, 2)));
        check(&[], None);
        check(&[(0, 5)], None);
        check(&[(5, 0)], None);
        check(&[(u64::MAX, u64::MAX), (1, 1)], Some((1, 1)));
    }

    #[test]
    fn counts_are_rounded_and_never_vanish() {
        let check = |pair: (u64, u64), tokens: u64, expected: u64| {
            let calibration = Calibration::learned([pair]).unwrap();
            assert_eq!(calibration.apply(tokens), expected, "{pair:?}, {tokens}");
        };
        check((2, 3), 0, 0);
        check((2, 3), 1, 2);
        check((2, 3), 3, 5);
        check((3, 4), 1, 1);
        check((3, 4), 5, 7);
        check((100, 1), 1, 1);
        check((100, 1), 49, 1);
        check((100, 1), 150, 2);
        check((1, u64::MAX), 2, u64::MAX);
    }

    #[test]
    fn an_error_stays_what_it_is() {
        let mut inner = named("inner");
        inner.expect_count_text().returning(|_| Err(failure("inner")));
        let calibration = Calibration::learned([(1, 2)]).unwrap();
        let counter = Calibrated::new(Arc::new(inner), calibration).unwrap();
        assert_eq!(counter.count("text").unwrap_err().to_string(), "counter inner failed");
        assert!(!counter.is_answering());
    }

    proptest::proptest! {
        #[test]
        fn a_larger_count_stays_the_larger_one(
            exact in 1..u64::MAX, inexact in 1..u64::MAX, one: u64, other: u64,
        ) {
            let calibration = Calibration::learned([(inexact, exact)]).unwrap();
            let (low, high) = (one.min(other), one.max(other));
            proptest::prop_assert!(calibration.apply(low) <= calibration.apply(high));
        }
    }
}
