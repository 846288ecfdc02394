//! The estimator as a counter.

use memory_core::{CacheLookups, CountError, CounterId, TextCount, TokenCounter};

use crate::estimator::Estimator;

/// Gives an [`Estimator`]'s guesses in the place of counts.
///
/// It never fails and waits for nothing, which makes it the last of the counters that step in for
/// one another ([`Fallback`](crate::Fallback)). Its results say that they are no exact counts: a
/// tally by it is `Final(Fallback)`, and is not counted anew while it is the counter itself.
///
/// # Examples
///
/// ```
/// use memory_core::TokenCounter;
/// use tokens::{EstimatedCounter, Estimator};
///
/// let counter = EstimatedCounter::new("estimated-o200k_base", Estimator::o200k_base())?;
/// let text = "The ferry leaves at nine.";
/// let counted = counter.count_text(text)?;
/// assert_eq!(counted.tokens, Estimator::o200k_base().estimate(text));
/// assert!(counted.by_fallback);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct EstimatedCounter {
    id: CounterId,
    estimator: Estimator,
}

impl EstimatedCounter {
    /// Guesses with `estimator`, under an id of its own.
    ///
    /// # Errors
    ///
    /// [`IdError`](memory_core::IdError) where the id is empty or too long.
    pub fn new(id: impl AsRef<str>, estimator: Estimator) -> Result<Self, memory_core::IdError> {
        Ok(Self { id: CounterId::new(id)?, estimator })
    }
}

#[deny(clippy::missing_trait_methods)]
impl TokenCounter for EstimatedCounter {
    fn id(&self) -> &CounterId {
        &self.id
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        Ok(usize::try_from(self.estimator.estimate(text)).unwrap_or(usize::MAX))
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        Ok(TextCount::by_fallback(self.estimator.estimate(text)))
    }

    /// Never: there is nothing better to count anew with.
    fn is_answering(&self) -> bool {
        false
    }

    /// A guess is at most the bytes of the text.
    fn upper_bound(&self, text: &str) -> Option<usize> {
        Some(text.len())
    }

    fn inline_safe(&self) -> bool {
        true
    }

    /// Nowhere: a guess depends on what stands before.
    fn safe_cut(&self, _: &str, _: usize) -> Option<usize> {
        None
    }

    fn is_cpu_bound(&self) -> bool {
        true
    }

    fn cache_lookups(&self) -> CacheLookups {
        CacheLookups::default()
    }
}
