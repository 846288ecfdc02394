//! Handles to the metrics of one counter, looked up once so that using them is cheap.

use memory_core::CounterId;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::names;

#[derive(Debug)]
pub(super) struct Published {
    pub(super) submitted: Counter,
    pub(super) succeeded: Counter,
    pub(super) failed: Counter,
    pub(super) panicked: Counter,
    pub(super) abandoned: Counter,
    pub(super) given_up: Counter,
    pub(super) shared: Counter,
    pub(super) hung: Counter,
    pub(super) recovered: Counter,
    pub(super) refused_full: Counter,
    pub(super) refused_shut_down: Counter,
    pub(super) inline: Counter,
    pub(super) inline_failed: Counter,
    pub(super) counted_bytes: Counter,
    pub(super) counted_tokens: Counter,
    pub(super) queue_depth: Gauge,
    pub(super) in_hand: Gauge,
    pub(super) detached_workers: Gauge,
    pub(super) wait_seconds: Histogram,
    pub(super) count_seconds: Histogram,
    pub(super) estimate_error_ratio: Histogram,
}

impl Published {
    pub(super) fn new(counter: &CounterId) -> Self {
        let count = |name: &'static str| counter!(name, "counter" => counter.to_string());
        let level = |name: &'static str| gauge!(name, "counter" => counter.to_string());
        let histogram = |name: &'static str| histogram!(name, "counter" => counter.to_string());
        Self {
            submitted: count(names::SUBMITTED),
            succeeded: count(names::SUCCEEDED),
            failed: count(names::FAILED),
            panicked: count(names::PANICKED),
            abandoned: count(names::ABANDONED),
            given_up: count(names::GIVEN_UP),
            shared: count(names::SHARED),
            hung: count(names::HUNG),
            recovered: count(names::RECOVERED),
            refused_full: count(names::REFUSED_FULL),
            refused_shut_down: count(names::REFUSED_SHUT_DOWN),
            inline: count(names::INLINE),
            inline_failed: count(names::INLINE_FAILED),
            counted_bytes: count(names::COUNTED_BYTES),
            counted_tokens: count(names::COUNTED_TOKENS),
            queue_depth: level(names::QUEUE_DEPTH),
            in_hand: level(names::IN_HAND),
            detached_workers: level(names::DETACHED_WORKERS),
            wait_seconds: histogram(names::WAIT_SECONDS),
            count_seconds: histogram(names::COUNT_SECONDS),
            estimate_error_ratio: histogram(names::ESTIMATE_ERROR_RATIO),
        }
    }
}
