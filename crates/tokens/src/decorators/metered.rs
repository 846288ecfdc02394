//! A counter whose work is counted itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memory_core::{CacheLookups, CountError, CounterId, TextCount, TokenCounter};
use metrics::{Counter, Histogram, counter, histogram};

use crate::metrics::names;

/// Counts what a counter does: texts, bytes, tokens, errors and the time that it takes.
///
/// The numbers are there typed, by [`stats`](Self::stats), and are published through the `metrics`
/// facade with the label `counter`, so that the parts of a counter that is put together can be told
/// apart: put one around each. A panic is counted as an error and goes on.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use memory_core::TokenCounter;
/// use tokens::{BpeCounter, Metered};
///
/// let counter = Metered::new(Arc::new(BpeCounter::o200k_base()));
/// counter.count("Hello, world!")?;
/// let stats = counter.stats();
/// assert_eq!((stats.texts, stats.bytes, stats.tokens, stats.errors), (1, 13, 4, 0));
/// # Ok::<(), memory_core::CountError>(())
/// ```
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn TokenCounter>,
    numbers: Numbers,
    texts: Counter,
    errors: Counter,
    by_fallback: Counter,
    seconds: Histogram,
}

#[derive(Debug, Default)]
struct Numbers {
    texts: AtomicU64,
    bytes: AtomicU64,
    tokens: AtomicU64,
    by_fallback: AtomicU64,
    errors: AtomicU64,
    nanos: AtomicU64,
}

/// What a [`Metered`] counter has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MeteredStats {
    /// Texts that were counted.
    pub texts: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their tokens.
    pub tokens: u64,
    /// How many of the texts a fallback counted.
    pub by_fallback: u64,
    /// Texts that ended in an error or a panic.
    pub errors: u64,
    /// The time that all took, added up over all threads, errors included.
    pub total_duration: Duration,
}

impl Metered {
    /// Counts what `inner` does.
    ///
    /// The metrics go to the recorder that is installed at this time.
    pub fn new(inner: Arc<dyn TokenCounter>) -> Self {
        let id = inner.id().clone();
        let count = |name: &'static str| counter!(name, "counter" => id.to_string());
        Self {
            numbers: Numbers::default(),
            texts: count(names::COUNTER_TEXTS),
            errors: count(names::COUNTER_ERRORS),
            by_fallback: count(names::COUNTER_BY_FALLBACK),
            seconds: histogram!(names::COUNTER_SECONDS, "counter" => id.to_string()),
            inner,
        }
    }

    /// What it has done so far.
    pub fn stats(&self) -> MeteredStats {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        MeteredStats {
            texts: get(&self.numbers.texts),
            bytes: get(&self.numbers.bytes),
            tokens: get(&self.numbers.tokens),
            by_fallback: get(&self.numbers.by_fallback),
            errors: get(&self.numbers.errors),
            total_duration: Duration::from_nanos(get(&self.numbers.nanos)),
        }
    }

    fn counted(&self, text: &str, counted: TextCount) {
        add(&self.numbers.texts, 1);
        add(&self.numbers.bytes, text.len() as u64);
        add(&self.numbers.tokens, counted.tokens);
        self.texts.increment(1);
        if counted.by_fallback {
            add(&self.numbers.by_fallback, 1);
            self.by_fallback.increment(1);
        }
    }
}

/// Takes the time until it is dropped, and takes what was not counted by then for an error.
struct Watch<'a> {
    metered: &'a Metered,
    start: Instant,
    is_counted: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let elapsed = self.start.elapsed();
        add(&self.metered.numbers.nanos, u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX));
        self.metered.seconds.record(elapsed);
        if !self.is_counted {
            add(&self.metered.numbers.errors, 1);
            self.metered.errors.increment(1);
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl TokenCounter for Metered {
    fn id(&self) -> &CounterId {
        self.inner.id()
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let counted = self.count_text(text)?;
        Ok(usize::try_from(counted.tokens).unwrap_or(usize::MAX))
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        let mut watch = Watch { metered: self, start: Instant::now(), is_counted: false };
        let counted = self.inner.count_text(text)?;
        watch.is_counted = true;
        drop(watch);
        self.counted(text, counted);
        Ok(counted)
    }

    fn is_answering(&self) -> bool {
        self.inner.is_answering()
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.inner.upper_bound(text)
    }

    fn inline_safe(&self) -> bool {
        self.inner.inline_safe()
    }

    fn safe_cut(&self, text: &str, near: usize) -> Option<usize> {
        self.inner.safe_cut(text, near)
    }

    fn is_cpu_bound(&self) -> bool {
        self.inner.is_cpu_bound()
    }

    fn cache_lookups(&self) -> CacheLookups {
        self.inner.cache_lookups()
    }
}

fn add(number: &AtomicU64, by: u64) {
    number.fetch_add(by, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decorators::testing::{failure, named};
    use crate::pool::guard::guarded;

    #[test]
    fn every_outcome_is_counted_as_what_it_is() {
        let mut inner = named("inner");
        let mut at = |when: &'static str, outcome: fn() -> Result<TextCount, CountError>| {
            let expected = inner.expect_count_text().times(1).withf(move |text| text == when);
            expected.returning(move |_| outcome());
        };
        at("error", || Err(failure("inner")));
        at("panic", || panic!("a panic of the inner counter"));
        at("far", || Ok(TextCount::by_fallback(2)));
        at("a text", || Ok(5_u64.into()));
        let counter = Metered::new(Arc::new(inner));
        counter.count("error").unwrap_err();
        guarded(|| counter.count("panic")).unwrap_err();
        assert_eq!(counter.count_text("far").unwrap(), TextCount::by_fallback(2));
        assert_eq!(counter.count("a text").unwrap(), 5);
        let stats = counter.stats();
        assert!(stats.total_duration > Duration::ZERO);
        let expected = MeteredStats {
            texts: 2,
            bytes: 9,
            tokens: 7,
            by_fallback: 1,
            errors: 2,
            total_duration: stats.total_duration,
        };
        assert_eq!(stats, expected);
    }
}
