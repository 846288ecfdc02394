//! The names that metrics are published under. Each has the label `counter`, the counter's id.

/// Counter: jobs that were taken.
pub const SUBMITTED: &str = "turnledger_tokens_submitted_total";

/// Counter: jobs that workers counted.
pub const SUCCEEDED: &str = "turnledger_tokens_succeeded_total";

/// Counter: jobs whose counter returned an error.
pub const FAILED: &str = "turnledger_tokens_failed_total";

/// Counter: jobs whose counter panicked.
pub const PANICKED: &str = "turnledger_tokens_panicked_total";

/// Counter: jobs that were not counted because nobody waited for them any more.
pub const ABANDONED: &str = "turnledger_tokens_abandoned_total";

/// Counter: jobs that were given up at the end of a pool.
pub const GIVEN_UP: &str = "turnledger_tokens_given_up_total";

/// Counter: jobs that got the count that another job with the same texts had begun.
pub const SHARED: &str = "turnledger_tokens_shared_total";

/// Counter: counts that took too long, and whose workers were given up or replaced.
pub const HUNG: &str = "turnledger_tokens_hung_total";

/// Counter: messages that were refused or lost once, and settled later.
pub const RECOVERED: &str = "turnledger_tokens_recovered_total";

/// Counter: jobs that were refused because the queue was full.
pub const REFUSED_FULL: &str = "turnledger_tokens_refused_full_total";

/// Counter: jobs that were refused because the pool was shut down.
pub const REFUSED_SHUT_DOWN: &str = "turnledger_tokens_refused_shut_down_total";

/// Counter: messages that were counted at once, on the caller's thread.
pub const INLINE: &str = "turnledger_tokens_inline_total";

/// Counter: counts at once that failed, by an error or a panic.
pub const INLINE_FAILED: &str = "turnledger_tokens_inline_failed_total";

/// Gauge: jobs that wait in the queue.
pub const QUEUE_DEPTH: &str = "turnledger_tokens_queue_depth";

/// Gauge: jobs that are being counted.
pub const IN_HAND: &str = "turnledger_tokens_in_hand";

/// Gauge: workers that hang, were replaced, and have not come back.
pub const DETACHED_WORKERS: &str = "turnledger_tokens_detached_workers";

/// Counter, bytes: text that was counted.
pub const COUNTED_BYTES: &str = "turnledger_tokens_counted_bytes_total";

/// Counter: tokens that were counted, framing included.
pub const COUNTED_TOKENS: &str = "turnledger_tokens_counted_tokens_total";

/// Histogram, seconds: the time that a job waited for a worker.
pub const WAIT_SECONDS: &str = "turnledger_tokens_wait_seconds";

/// Histogram: the error of the estimate of what a worker counted, as a ratio to the count: above
/// zero where the estimate was too high.
pub const ESTIMATE_ERROR_RATIO: &str = "turnledger_tokens_estimate_error_ratio";

/// Histogram, seconds: the time that a count took.
pub const COUNT_SECONDS: &str = "turnledger_tokens_count_seconds";

/// Counter: texts whose counts a [`Cached`](crate::Cached) counter remembered.
pub const CACHE_HITS: &str = "turnledger_tokens_cache_hits_total";
/// Counter: texts that a [`Cached`](crate::Cached) counter had to have counted.
pub const CACHE_MISSES: &str = "turnledger_tokens_cache_misses_total";
/// Counter: texts that a [`Metered`](crate::Metered) counter counted.
pub const COUNTER_TEXTS: &str = "turnledger_tokens_counter_texts_total";
/// Counter: those of them that a fallback counted.
pub const COUNTER_BY_FALLBACK: &str = "turnledger_tokens_counter_by_fallback_total";
/// Counter: texts that a [`Metered`](crate::Metered) counter failed at, by an error or a panic.
pub const COUNTER_ERRORS: &str = "turnledger_tokens_counter_errors_total";
/// Histogram, seconds: the time that a [`Metered`](crate::Metered) counter took for a text.
pub const COUNTER_SECONDS: &str = "turnledger_tokens_counter_seconds";
