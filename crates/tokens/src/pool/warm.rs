//! Loading a counter and learning its cost before anyone waits for it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::guard::guarded;
use super::idle::Latch;
use super::shared::Shared;

/// Whether the counter has counted something, and whether the warm-up is over.
#[derive(Debug, Default)]
pub(super) struct Warmth {
    warm: AtomicBool,
    over: Latch,
    wanted: bool,
}

impl Warmth {
    pub(super) fn new(wanted: bool) -> Self {
        let warmth = Self { wanted, ..Self::default() };
        if !wanted {
            warmth.over.set();
        }
        warmth
    }

    pub(super) fn is_warm(&self) -> bool {
        self.warm.load(Ordering::Acquire)
    }

    pub(super) fn set_warm(&self) {
        if !self.is_warm() {
            self.warm.store(true, Ordering::Release);
        }
    }

    pub(super) async fn over(&self) {
        self.over.wait().await;
    }
}

/// Texts of the kinds and lengths that chats are made of.
pub(super) const SAMPLES: [&str; 6] = [
    "Yes, please.",
    "Could you move my booking to Thursday morning? The window seat would be nice, if one is left.",
    "{\"order\": 48213, \"status\": \"shipped\", \"items\": [{\"sku\": \"A-1109\", \"count\": 2, \"price\": \
     17.5}, {\"sku\": \"B-3340\", \"count\": 1, \"price\": 4.25}], \"carrier\": \"north post\"}",
    "Завтра утром мы выезжаем в горы. 明天早上我们出发去山里。 내일 아침 산으로 떠납니다. 🏔️🚞",
    "fn total(prices: &[u32]) -> u64 {\n    prices.iter().copied().map(u64::from).sum()\n}\n\n\
     #[test]\nfn an_empty_list_costs_nothing() {\n    assert_eq!(total(&[]), 0);\n}\n",
    "The harbour was quiet when the ferry came in. A few gulls sat on the railing, and somebody had \
     left a red umbrella under the bench by the ticket office. We bought two tickets for the island, \
     counted the coins twice, and asked when the last boat would go back. At a quarter past nine, \
     said the man, unless the wind turned; then it would be at eight, or not at all.",
];

/// How often the samples are counted, so that the cost rests on more than a few figures. The first
/// round only fills caches: nearly all words of a message have been seen before, and what others
/// cost is learned from the messages that have them.
pub(super) const ROUNDS: usize = 34;

/// What makes a counter load what it needs.
const FIRST: &str = "a";

impl Shared {
    /// Has the counter load what it needs, and counts sample texts to learn what a count costs.
    ///
    /// A counter that waits for a service loads nothing and is never asked at once: samples would
    /// only use up what the service allows.
    pub(super) fn warm_up(&self) {
        if !self.warmth.wanted {
            return;
        }
        if !self.counter.is_cpu_bound() {
            self.warmth.over.set();
            return;
        }
        let done = guarded(|| self.count_samples());
        if !matches!(done, Ok(true)) && self.queue.is_open() {
            let counter = self.counter_id.as_str();
            // A subscriber that panics is no reason to end the worker.
            let _ = guarded(|| tracing::warn!(counter, "the counter did not warm up"));
        }
        self.warmth.over.set();
    }

    /// Whether all samples were counted.
    fn count_samples(&self) -> bool {
        if self.counter.count(FIRST).is_err() {
            return false;
        }
        for (round, sample) in (0..ROUNDS).flat_map(|round| SAMPLES.map(|sample| (round, sample))) {
            if !self.queue.is_open() {
                return false;
            }
            let start = (self.thread_time)();
            if self.counter.count(sample).is_err() {
                return false;
            }
            let elapsed = (self.thread_time)().saturating_sub(start);
            if round > 0 {
                self.cost.learn(sample.len(), elapsed);
            }
        }
        self.warmth.set_warm();
        true
    }
}
