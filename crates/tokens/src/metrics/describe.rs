//! Telling a recorder what the metrics mean.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use super::names;

/// Describes every metric of this crate to the installed recorder.
///
/// Call it once, after installing the recorder.
pub fn describe() {
    let counters = [
        (names::SUBMITTED, "Jobs that the counting pool took."),
        (names::SUCCEEDED, "Jobs that workers counted."),
        (names::FAILED, "Jobs whose counter returned an error."),
        (names::PANICKED, "Jobs whose counter panicked."),
        (names::ABANDONED, "Jobs not counted, because nobody waited for them any more."),
        (names::GIVEN_UP, "Jobs given up at the end of a pool."),
        (names::SHARED, "Jobs that got the count of another one with the same texts."),
        (names::HUNG, "Counts that took too long."),
        (names::RECOVERED, "Messages that were refused or lost once, and settled later."),
        (names::REFUSED_FULL, "Jobs refused because the queue was full."),
        (names::REFUSED_SHUT_DOWN, "Jobs refused because the pool was shut down."),
        (names::INLINE, "Messages counted at once, on the caller's thread."),
        (names::INLINE_FAILED, "Counts at once that failed."),
        (names::COUNTED_TOKENS, "Tokens counted, framing included."),
        (names::CACHE_HITS, "Texts whose counts were remembered as a whole."),
        (names::CACHE_MISSES, "Texts whose counts were not remembered as a whole."),
        (names::COUNTER_TEXTS, "Texts that a metered counter counted."),
        (names::COUNTER_BY_FALLBACK, "Texts for which a fallback of a metered counter counted."),
        (names::COUNTER_ERRORS, "Texts that a metered counter failed at."),
    ];
    for (name, meaning) in counters {
        describe_counter!(name, Unit::Count, meaning);
    }
    describe_counter!(names::COUNTED_BYTES, Unit::Bytes, "Text counted.");
    describe_gauge!(names::QUEUE_DEPTH, Unit::Count, "Jobs that wait in the queue.");
    describe_gauge!(names::IN_HAND, Unit::Count, "Jobs that are being counted.");
    describe_gauge!(names::DETACHED_WORKERS, Unit::Count, "Workers that hang and were replaced.");
    describe_histogram!(names::WAIT_SECONDS, Unit::Seconds, "The time that a job waited.");
    describe_histogram!(
        names::ESTIMATE_ERROR_RATIO,
        Unit::Count,
        "The error of the estimate as a ratio to the count."
    );
    describe_histogram!(names::COUNT_SECONDS, Unit::Seconds, "The time that a count took.");
    let metered = "The time that a metered counter took for a text.";
    describe_histogram!(names::COUNTER_SECONDS, Unit::Seconds, metered);
}
