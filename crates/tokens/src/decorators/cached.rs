//! A counter that remembers whole texts.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use memory_core::{CacheLookups, CountError, CounterId, TextCount, TokenCounter};
use metrics::{Counter, counter};

use super::store::Store;
use crate::metrics::names;

/// Remembers the counts of whole texts, within a bound of bytes.
///
/// It is for texts that come again and again, such as system prompts and the schemas of tools; for
/// words that come again a [`BpeCounter`](crate::BpeCounter) has caches of its own. A text is found
/// by a keyed hash and then compared as a whole, so that a count is never another text's. What has
/// not been asked for lately makes room for what is new. A text that is longer than the bound is
/// counted each time, as is what a fallback counted.
///
/// Threads look texts up at the same time and wait for one another only while one is added.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use memory_core::TokenCounter;
/// use tokens::{BpeCounter, Cached};
///
/// let counter = Cached::new(Arc::new(BpeCounter::o200k_base()), 1 << 20);
/// for _ in 0..3 {
///     assert_eq!(counter.count("Answer in one short sentence.")?, 6);
/// }
/// assert_eq!((counter.stats().hits, counter.stats().misses), (2, 1));
/// # Ok::<(), memory_core::CountError>(())
/// ```
#[derive(Debug)]
pub struct Cached {
    inner: Arc<dyn TokenCounter>,
    capacity: usize,
    hashing: RandomState,
    store: RwLock<Store>,
    hits: AtomicU64,
    misses: AtomicU64,
    published_hits: Counter,
    published_misses: Counter,
}

/// What a [`Cached`] counter has found and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CacheStats {
    /// Texts whose counts were remembered.
    pub hits: u64,
    /// Texts that had to be counted.
    pub misses: u64,
    /// Texts that are remembered now.
    pub entries: usize,
    /// Bytes that they take now, with what each takes beside its text.
    pub bytes: usize,
}

impl Cached {
    /// Remembers what `inner` counts, in at most `capacity` bytes.
    ///
    /// Hits and misses are published to the recorder that is installed at this time.
    pub fn new(inner: Arc<dyn TokenCounter>, capacity: usize) -> Self {
        let id = inner.id().clone();
        let count = |name: &'static str| counter!(name, "counter" => id.to_string());
        Self {
            capacity,
            hashing: RandomState::new(),
            store: RwLock::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            published_hits: count(names::CACHE_HITS),
            published_misses: count(names::CACHE_MISSES),
            inner,
        }
    }

    /// What it has found so far, and holds now.
    pub fn stats(&self) -> CacheStats {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: store.len(),
            bytes: store.bytes(),
        }
    }

    fn find(&self, hash: u64, text: &str) -> Option<TextCount> {
        let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let entry = Arc::clone(store.get(hash)?);
        // Comparing long texts holds nobody up.
        drop(store);
        (*entry.text == *text).then_some(entry.counted)
    }
}

#[deny(clippy::missing_trait_methods)]
impl TokenCounter for Cached {
    fn id(&self) -> &CounterId {
        self.inner.id()
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        let counted = self.count_text(text)?;
        Ok(usize::try_from(counted.tokens).unwrap_or(usize::MAX))
    }

    fn count_text(&self, text: &str) -> Result<TextCount, CountError> {
        let hash = self.hashing.hash_one(text);
        if let Some(counted) = self.find(hash, text) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            self.published_hits.increment(1);
            return Ok(counted);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        self.published_misses.increment(1);
        let counted = self.inner.count_text(text)?;
        if !counted.by_fallback {
            let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
            store.insert(hash, text, counted, self.capacity);
        }
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
        let own = CacheLookups {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        };
        own + self.inner.cache_lookups()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use mockall::Sequence;

    use super::*;
    use crate::decorators::store::OVERHEAD;
    use crate::decorators::testing::{bytes, failure, named};

    #[test]
    fn a_text_is_counted_once() {
        let mut inner = named("inner");
        inner.expect_count_text().times(2).returning(|text| Ok(text.len().into()));
        let counter = Cached::new(Arc::new(inner), 1000);
        for text in ["one", "other", "one", "other", "one"] {
            assert_eq!(counter.count(text).unwrap(), text.len());
        }
        let bytes = "one".len() + "other".len() + 2 * OVERHEAD;
        let expected = CacheStats { hits: 3, misses: 2, entries: 2, bytes };
        assert_eq!(counter.stats(), expected);
    }

    #[test]
    fn a_failure_and_a_fallback_s_count_are_not_remembered() {
        let (mut inner, mut order) = (named("inner"), Sequence::new());
        let mut then = |outcome: fn() -> Result<TextCount, CountError>| {
            let expected = inner.expect_count_text().times(1).in_sequence(&mut order);
            expected.returning(move |_| outcome());
        };
        then(|| Err(failure("inner")));
        then(|| Ok(TextCount::by_fallback(9)));
        then(|| panic!("a panic of the inner counter"));
        then(|| Ok(7_u64.into()));
        let counter = Cached::new(Arc::new(inner), 1000);
        counter.count("text").unwrap_err();
        assert_eq!(counter.count_text("text").unwrap(), TextCount::by_fallback(9));
        crate::pool::guard::guarded(|| counter.count("text")).unwrap_err();
        for _ in 0..2 {
            assert_eq!(counter.count_text("text").unwrap(), 7_u64.into());
        }
        assert_eq!((counter.stats().hits, counter.stats().misses), (1, 4));
    }

    #[test]
    fn another_text_with_the_same_hash_is_no_hit() {
        let counter = Cached::new(Arc::new(bytes("inner")), 1000);
        let hash = counter.hashing.hash_one("four");
        counter.store.write().unwrap().insert(hash, "other", 5_u64.into(), 1000);
        assert_eq!(counter.count("four").unwrap(), 4);
        assert_eq!(counter.stats().misses, 1);
    }

    #[test]
    fn threads_find_what_others_counted_and_the_bound_holds() {
        let capacity = 20 * (OVERHEAD + 8);
        let counter = Cached::new(Arc::new(bytes("inner")), capacity);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..2000_usize {
                        let text = "x".repeat(round % 40);
                        assert_eq!(counter.count(&text).unwrap(), text.len());
                        assert!(counter.stats().bytes <= capacity);
                    }
                });
            }
        });
        let stats = counter.stats();
        assert_eq!(stats.hits + stats.misses, 8000);
    }
}
