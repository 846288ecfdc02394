//! What is published equals what the snapshot says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use memory_core::TokenCounter;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use super::{describe, names};
use crate::decorators::testing::bytes;
use crate::{Cached, Metered, TokenMetrics, TokenMetricsSnapshot};

const NAMES: [&str; 27] = [
    names::SUBMITTED,
    names::SUCCEEDED,
    names::FAILED,
    names::PANICKED,
    names::ABANDONED,
    names::GIVEN_UP,
    names::SHARED,
    names::HUNG,
    names::RECOVERED,
    names::DETACHED_WORKERS,
    names::WAIT_SECONDS,
    names::ESTIMATE_ERROR_RATIO,
    names::REFUSED_FULL,
    names::REFUSED_SHUT_DOWN,
    names::INLINE,
    names::INLINE_FAILED,
    names::QUEUE_DEPTH,
    names::IN_HAND,
    names::COUNTED_BYTES,
    names::COUNTED_TOKENS,
    names::COUNT_SECONDS,
    names::CACHE_HITS,
    names::CACHE_MISSES,
    names::COUNTER_TEXTS,
    names::COUNTER_BY_FALLBACK,
    names::COUNTER_ERRORS,
    names::COUNTER_SECONDS,
];

/// Keeps one number for each metric: a counter's value, a gauge's level, a histogram's sum.
#[derive(Default)]
struct Numbers {
    keys: Mutex<BTreeMap<String, Arc<Number>>>,
    described: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Number(AtomicU64, Mutex<f64>);

impl CounterFn for Number {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl GaugeFn for Number {
    fn increment(&self, value: f64) {
        *self.1.lock().unwrap() += value;
    }

    fn decrement(&self, value: f64) {
        *self.1.lock().unwrap() -= value;
    }

    fn set(&self, value: f64) {
        *self.1.lock().unwrap() = value;
    }
}

impl HistogramFn for Number {
    fn record(&self, value: f64) {
        *self.1.lock().unwrap() += value;
    }
}

impl Numbers {
    fn number(&self, key: &Key) -> Arc<Number> {
        let labels: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
        assert_eq!(labels, [("counter", "mock")], "{key}");
        Arc::clone(self.keys.lock().unwrap().entry(key.name().to_owned()).or_default())
    }

    fn counted(&self, name: &str) -> u64 {
        self.keys.lock().unwrap()[name].0.load(Ordering::Relaxed)
    }

    fn level(&self, name: &str) -> f64 {
        *self.keys.lock().unwrap()[name].1.lock().unwrap()
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        let right = match name.as_str() {
            name if name.ends_with("_seconds") => unit == Some(Unit::Seconds),
            name if name.ends_with("_bytes_total") => unit == Some(Unit::Bytes),
            _ => unit == Some(Unit::Count),
        };
        assert!(right, "{name:?} {unit:?}");
        self.described.lock().unwrap().push(name.as_str().to_owned());
    }
}

impl Recorder for Numbers {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        assert!(key.as_str().ends_with("_total"), "{key:?}");
        self.describe(&key, unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&key, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.number(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.number(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.number(key))
    }
}

fn recorded(code: impl FnOnce(&TokenMetrics)) -> (Numbers, crate::TokenMetricsSnapshot) {
    let numbers = Numbers::default();
    let metrics = metrics::with_local_recorder(&numbers, || TokenMetrics::new(counter()));
    code(&metrics);
    (numbers, metrics.snapshot())
}

#[test]
fn every_metric_is_described_and_registered_under_its_name() {
    let numbers = Numbers::default();
    metrics::with_local_recorder(&numbers, describe);
    let mut described = numbers.described.into_inner().unwrap();
    described.sort();
    let (numbers, _) = recorded(|_| ());
    metrics::with_local_recorder(&numbers, || Cached::new(Arc::new(Metered::new(counter())), 0));
    let registered: Vec<_> = numbers.keys.into_inner().unwrap().into_keys().collect();
    let mut expected = NAMES.map(str::to_owned);
    expected.sort();
    assert_eq!(described, expected);
    assert_eq!(registered, expected);
    assert!(expected.iter().all(|name| name.starts_with("turnledger_tokens_")));
}

fn counter() -> Arc<dyn TokenCounter> {
    Arc::new(bytes("mock"))
}

#[test]
fn counters_around_counters_publish_what_they_saw() {
    let numbers = Numbers::default();
    metrics::with_local_recorder(&numbers, || {
        let metered = Arc::new(Metered::new(counter()));
        let cached = Cached::new(Arc::<Metered>::clone(&metered), 10_000);
        for text in ["one", "two", "one"] {
            cached.count(text).unwrap();
        }
        assert_eq!(metered.stats().texts, 2);
    });
    assert_eq!(numbers.counted(names::CACHE_HITS), 1);
    assert_eq!(numbers.counted(names::CACHE_MISSES), 2);
    assert_eq!(numbers.counted(names::COUNTER_TEXTS), 2);
    assert_eq!(numbers.counted(names::COUNTER_ERRORS), 0);
}

#[test]
fn a_snapshot_has_the_look_ups_of_the_counter_within() {
    let inner = Arc::new(Cached::new(counter(), 10_000));
    let outer = Metered::new(Arc::new(Cached::new(Arc::<Cached>::clone(&inner), 10_000)));
    let outer: Arc<dyn TokenCounter> = Arc::new(outer);
    let metrics = TokenMetrics::new(Arc::clone(&outer));
    let check = |hits, misses| {
        let snapshot = metrics.snapshot();
        assert_eq!((snapshot.cache_hits, snapshot.cache_misses), (hits, misses));
    };
    check(0, 0);
    outer.count("text").unwrap();
    // Both had to count it.
    check(0, 2);
    outer.count("text").unwrap();
    check(1, 2);
    inner.count("text").unwrap();
    check(2, 2);
}

#[test]
fn each_event_moves_its_own_numbers() {
    let second = Duration::from_secs(1);
    let (numbers, snapshot) = recorded(|metrics| {
        for _ in 0..5 {
            metrics.submitted();
        }
        metrics.moved(5, 3);
        metrics.moved(-1, -2);
        metrics.counted(10, 3, second);
        metrics.succeeded(second);
        metrics.succeeded(2 * second);
        metrics.shared();
        metrics.failed(false, second, second);
        metrics.failed(true, second, second);
        metrics.failed(true, second, second);
        metrics.failed_hung(second);
        metrics.hung();
        metrics.replaced();
        metrics.replaced();
        metrics.came_back();
        metrics.recovered(4);
        metrics.estimate_error(-0.25);
        metrics.estimate_error(0.5);
        metrics.abandoned();
        metrics.given_up();
        metrics.refused_full();
        metrics.refused_shut_down();
        metrics.counted_inline(20, 4, second);
        metrics.failed_inline();
    });
    let check = |name: &str, in_snapshot: u64, expected: u64| {
        assert_eq!((numbers.counted(name), in_snapshot), (expected, expected), "{name}");
    };
    check(names::SUBMITTED, snapshot.submitted, 5);
    check(names::SUCCEEDED, snapshot.succeeded, 2);
    check(names::SHARED, snapshot.shared, 1);
    check(names::HUNG, snapshot.hung, 1);
    check(names::RECOVERED, snapshot.recovered, 4);
    check(names::FAILED, snapshot.failed, 2);
    check(names::PANICKED, snapshot.panicked, 2);
    check(names::ABANDONED, snapshot.abandoned, 1);
    check(names::GIVEN_UP, snapshot.given_up, 1);
    check(names::REFUSED_FULL, snapshot.refused_full, 1);
    check(names::REFUSED_SHUT_DOWN, snapshot.refused_shut_down, 1);
    check(names::INLINE, snapshot.inline, 1);
    check(names::INLINE_FAILED, snapshot.inline_failed, 1);
    check(names::COUNTED_BYTES, snapshot.bytes, 30);
    check(names::COUNTED_TOKENS, snapshot.tokens, 7);
    assert_eq!((snapshot.queue_depth, snapshot.in_hand, snapshot.refused()), (1, 1, 2));
    assert_eq!((snapshot.timed, snapshot.total_duration), (5, 5 * second));
    let near = |name: &str, expected: f64| {
        assert!((numbers.level(name) - expected).abs() < 1e-9, "{name}: {}", numbers.level(name));
    };
    near(names::QUEUE_DEPTH, 1.0);
    near(names::IN_HAND, 1.0);
    near(names::DETACHED_WORKERS, 1.0);
    near(names::COUNT_SECONDS, 5.0);
    near(names::WAIT_SECONDS, 7.0);
    near(names::ESTIMATE_ERROR_RATIO, 0.25);
    assert_eq!(snapshot.detached_workers, 1);
    assert_eq!((snapshot.count.count, snapshot.count.total), (5, 5 * second));
    assert_eq!((snapshot.wait.count, snapshot.wait.total), (6, 7 * second));
    let errors = snapshot.estimate_error;
    assert_eq!((errors.count, errors.p10, errors.p90), (2, -0.25, 0.5));
}

#[test]
fn the_average_is_in_whole_units() {
    let check = |timed, nanos, average_ns, average_ms| {
        let total_duration = Duration::from_nanos(nanos);
        let snapshot = TokenMetricsSnapshot { timed, total_duration, ..Default::default() };
        assert_eq!(snapshot.average_duration_ns(), average_ns);
        assert_eq!(snapshot.average_duration_ms(), average_ms);
        assert_eq!(snapshot.total_duration_ns(), nanos);
    };
    check(0, 0, 0, 0);
    check(3, 10, 3, 0);
    check(2, 5_999_999, 2_999_999, 2);
}
