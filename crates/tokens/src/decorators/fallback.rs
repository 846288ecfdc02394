//! A counter that another one steps in for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memory_core::{
    CacheLookups, Clock, CountError, CounterId, SystemClock, TextCount, TokenCounter,
};

use crate::pool::guard::guarded;

/// After a failure, so long until the counter itself is worth another try: 30 s.
const PAUSE: Duration = Duration::from_secs(30);

/// What stands for "the last count did not fail".
const NEVER: u64 = u64::MAX;

/// Counts with one counter, and with a second one where the first fails or panics.
///
/// It has the id of the first. What the second counted says so
/// ([`TextCount::by_fallback`]), so that its tallies are `Final(Fallback)` and can be found and
/// counted anew. Whether that is worth while says
/// [`is_answering`](TokenCounter::is_answering): yes after the first has counted, no after it has
/// failed, and yes again 30 s after the failure, so that somebody tries.
///
/// A text that both counters fail at has the second one's error, with the first one's in it.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use memory_core::{CountError, CounterId, TextCount, TokenCounter};
/// use tokens::{BpeCounter, Fallback};
///
/// /// Counts nothing.
/// #[derive(Debug)]
/// struct Down(CounterId);
///
/// impl TokenCounter for Down {
///     fn id(&self) -> &CounterId {
///         &self.0
///     }
///
///     fn count(&self, _: &str) -> Result<usize, CountError> {
///         Err(CountError::Failed { counter: self.0.clone(), source: "no route".into() })
///     }
/// }
///
/// let down = Arc::new(Down(CounterId::new("far-away")?));
/// let counter = Fallback::new(down, Arc::new(BpeCounter::o200k_base()));
/// assert_eq!(counter.count_text("Hello, world!")?, TextCount::by_fallback(4));
/// assert_eq!(counter.id().as_str(), "far-away");
/// assert!(!counter.is_answering());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Fallback {
    first: Arc<dyn TokenCounter>,
    second: Arc<dyn TokenCounter>,
    clock: Arc<dyn Clock>,
    /// When the first failed, in milliseconds, if that is the last that it did.
    failed_at: AtomicU64,
}

impl Fallback {
    /// Counts with `first`, and with `second` where `first` fails.
    pub fn new(first: Arc<dyn TokenCounter>, second: Arc<dyn TokenCounter>) -> Self {
        Self::with_clock(first, second, Arc::new(SystemClock))
    }

    /// As [`new`](Self::new), with a clock that tells when a failure was long ago.
    pub fn with_clock(
        first: Arc<dyn TokenCounter>,
        second: Arc<dyn TokenCounter>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { first, second, clock, failed_at: AtomicU64::new(NEVER) }
    }

    fn count_second(&self, text: &str, first: CountError) -> Result<TextCount, CountError> {
        match self.second.count(text) {
            Ok(tokens) => Ok(TextCount::by_fallback(tokens as u64)),
            Err(second) => Err(CountError::Failed {
                counter: self.id().clone(),
                source: Box::new(BothFailed { first, second }),
            }),
        }
    }
}

/// Neither counter counted.
#[derive(Debug, thiserror::Error)]
#[error("the fallback failed too, after this: {first}")]
struct BothFailed {
    first: CountError,
    #[source]
    second: CountError,
}

#[deny(clippy::missing_trait_methods)]
impl TokenCounter for Fallback {
    fn id(&self) -> &CounterId {
        self.first.id()
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let counted = self.count_text(text)?;
        Ok(usize::try_from(counted.tokens).unwrap_or(usize::MAX))
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        let panicked = |_| Err(CountError::Panicked { counter: self.id().clone() });
        match guarded(|| self.first.count_text(text)).unwrap_or_else(panicked) {
            Ok(counted) => {
                self.failed_at.store(NEVER, Ordering::Relaxed);
                Ok(counted)
            }
            Err(error) => {
                self.failed_at.store(self.clock.now().as_millis(), Ordering::Relaxed);
                self.count_second(text, error)
            }
        }
    }

    fn is_answering(&self) -> bool {
        let failed_at = self.failed_at.load(Ordering::Relaxed);
        let pause = u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
        let rested = self.clock.now().as_millis().saturating_sub(failed_at) >= pause;
        self.first.is_answering() && (failed_at == NEVER || rested)
    }

    /// What either can count at most; none where one of them knows no bound.
    fn upper_bound(&self, text: &str) -> Option<usize> {
        Some(self.first.upper_bound(text)?.max(self.second.upper_bound(text)?))
    }

    fn inline_safe(&self) -> bool {
        self.first.inline_safe() && self.second.inline_safe()
    }

    /// Where both would cut; none where they differ.
    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        let cut = self.first.safe_cut(text, near)?;
        (self.second.safe_cut(text, near) == Some(cut)).then_some(cut)
    }

    fn is_cpu_bound(&self) -> bool {
        self.first.is_cpu_bound() && self.second.is_cpu_bound()
    }

    fn cache_lookups(&self) -> CacheLookups {
        self.first.cache_lookups() + self.second.cache_lookups()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use memory_core::{ManualClock, Timestamp};
    use mockall::Sequence;

    use super::*;
    use crate::decorators::testing::{MockCounter, bytes, failure, named};

    fn fallback(first: MockCounter, second: MockCounter) -> (Fallback, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(5)));
        let told: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        (Fallback::with_clock(Arc::new(first), Arc::new(second), told), clock)
    }

    /// A counter that must not be asked.
    fn idle() -> MockCounter {
        let mut counter = named("idle");
        counter.expect_count_text().never();
        counter.expect_count().never();
        counter
    }

    #[test]
    fn the_second_is_asked_only_where_the_first_fails() {
        let (counter, _) = fallback(bytes("first"), idle());
        assert_eq!(counter.count_text("four").unwrap(), TextCount::from(4_u64));
        assert_eq!(counter.count("four").unwrap(), 4);
        assert!(counter.is_answering());
    }

    #[test]
    fn an_error_and_a_panic_are_both_failures() {
        for panics in [false, true] {
            let mut first = named("first");
            first.expect_count_text().times(1).returning(move |_| {
                assert!(!panics, "a panic of the first");
                Err(failure("first"))
            });
            let (counter, _) = fallback(first, bytes("second"));
            assert_eq!(counter.count_text("four").unwrap(), TextCount::by_fallback(4));
            assert!(!counter.is_answering());
            assert_eq!(counter.id().as_str(), "first");
        }
    }

    #[test]
    fn both_errors_are_told() {
        let (mut first, mut second) = (named("first"), named("second"));
        first.expect_count_text().returning(|_| Err(failure("first")));
        second.expect_count().returning(|_| Err(failure("second")));
        let (counter, _) = fallback(first, second);
        let error = counter.count("four").unwrap_err();
        let both = error.source().unwrap();
        assert!(both.to_string().contains("counter first failed"), "{both}");
        assert_eq!(both.source().unwrap().to_string(), "counter second failed");
    }

    #[test]
    fn it_is_worth_a_try_again_after_a_while_and_after_a_count() {
        let mut first = bytes_after_failures(2);
        first.expect_is_answering().return_const(true);
        let (counter, clock) = fallback(first, bytes("second"));
        assert!(counter.is_answering(), "nothing is known yet");
        counter.count("a").unwrap();
        assert!(!counter.is_answering());
        let most = Duration::from_millis(29_999);
        clock.advance(most);
        assert!(!counter.is_answering());
        clock.advance(PAUSE.saturating_sub(most));
        assert!(counter.is_answering(), "long enough ago");
        assert!(counter.count_text("a").unwrap().by_fallback);
        assert!(!counter.is_answering(), "a second failure begins anew");
        assert!(!counter.count_text("a").unwrap().by_fallback);
        assert!(counter.is_answering());
    }

    fn bytes_after_failures(failures: usize) -> MockCounter {
        let mut counter = MockCounter::new();
        let mut order = Sequence::new();
        counter.expect_id().return_const(CounterId::new("first").unwrap());
        counter
            .expect_count_text()
            .times(failures)
            .in_sequence(&mut order)
            .returning(|_| Err(failure("first")));
        counter.expect_count_text().in_sequence(&mut order).returning(|text| Ok(text.len().into()));
        counter
    }

    #[test]
    fn what_only_one_of_them_promises_is_not_promised() {
        let check = |first: (Option<usize>, bool), second: (Option<usize>, bool), expected| {
            let with = |(bound, inline): (Option<usize>, bool)| {
                let mut counter = MockCounter::new();
                counter.expect_upper_bound().return_const(bound);
                counter.expect_safe_cut().return_const(bound);
                counter.expect_inline_safe().return_const(inline);
                counter.expect_is_cpu_bound().return_const(inline);
                counter
            };
            let (counter, _) = fallback(with(first), with(second));
            assert_eq!((counter.upper_bound("a"), counter.inline_safe()), expected);
            assert_eq!(counter.is_cpu_bound(), expected.1);
            assert_eq!(counter.safe_cut("a", 0), first.0.filter(|_| first.0 == second.0));
        };
        check((Some(3), true), (Some(7), true), (Some(7), true));
        check((Some(7), true), (Some(7), true), (Some(7), true));
        check((None, true), (Some(7), false), (None, false));
        check((Some(3), false), (None, true), (None, false));
    }
}
