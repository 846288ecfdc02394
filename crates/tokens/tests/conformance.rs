//! Every counter and every decorator keeps the contract of counters.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::sync::Arc;

use memory_core::{CountError, CounterId, TokenCounter};
use memory_testkit::counter;
use tokens::{
    BpeCounter, Cached, Calibrated, Calibration, CounterRegistry, EstimatedCounter, Estimator,
    Fallback, Metered,
};

fn o200k() -> Arc<dyn TokenCounter> {
    Arc::new(BpeCounter::o200k_base())
}

fn check(counter: &dyn TokenCounter) {
    counter::all(counter).unwrap();
}

/// Fails at every third text, by its length.
#[derive(Debug)]
struct Moody(BpeCounter);

impl TokenCounter for Moody {
    fn id(&self) -> &CounterId {
        self.0.id()
    }

    fn count(&self, text: &str) -> Result<usize, CountError> {
        match text.len() % 3 {
            1 => Err(CountError::Failed { counter: self.id().clone(), source: "no".into() }),
            _ => self.0.count(text),
        }
    }

    fn upper_bound(&self, text: &str) -> Option<usize> {
        self.0.upper_bound(text)
    }
}

#[test]
fn encodings() {
    for name in BpeCounter::ENCODINGS {
        check(&BpeCounter::by_name(name).unwrap());
    }
}

#[test]
fn what_a_registry_gives() {
    check(&CounterRegistry::new().counter("gpt-4o-mini").unwrap());
}

#[test]
fn estimates() {
    check(&EstimatedCounter::new("estimated", Estimator::o200k_base()).unwrap());
}

#[test]
fn fallbacks() {
    check(&Fallback::new(o200k(), Arc::new(BpeCounter::cl100k_base())));
    // The same counter behind both: the contract asks for the same count each time.
    check(&Fallback::new(Arc::new(Moody(BpeCounter::o200k_base())), o200k()));
}

#[test]
fn caches() {
    for capacity in [0, 10_000, 1 << 24] {
        let counter = Cached::new(o200k(), capacity);
        check(&counter);
        assert!(counter.stats().bytes <= capacity);
        assert_eq!(counter.stats().hits > 0, capacity > 0);
    }
}

#[test]
fn meters() {
    check(&Metered::new(o200k()));
}

#[test]
fn calibrations() {
    for pair in [(3, 4), (4, 3), (1, 1)] {
        let calibration = Calibration::learned([pair]).unwrap();
        check(&Calibrated::new(o200k(), calibration).unwrap());
    }
}

#[test]
fn all_of_them_around_one_another() {
    let calibration = Calibration::learned([(10, 11)]).unwrap();
    let stand_in = Arc::new(Calibrated::new(o200k(), calibration).unwrap());
    let metered = Metered::new(Arc::new(Fallback::new(o200k(), stand_in)));
    check(&Cached::new(Arc::new(metered), 1 << 16));
}

#[cfg(feature = "hugging-face")]
#[test]
fn files_of_hugging_face() {
    let spaces = r#"{
        "version": "1.0",
        "added_tokens": [{"id": 1, "content": "<|endoftext|>", "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
            "use_regex": true},
        "model": {"type": "BPE", "vocab": {"[UNK]": 0, "<|endoftext|>": 1, "a": 2, "\u0120": 3,
            "\u0120a": 4}, "merges": [["\u0120", "a"]], "unk_token": "[UNK]", "ignore_merges": true}
    }"#;
    check(&tokens::HuggingFaceCounter::from_bytes("spaces", spaces.as_bytes()).unwrap());
}
