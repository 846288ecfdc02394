//! The names of the metrics.

/// Messages that were appended (counter).
pub const APPENDED: &str = "turnledger_memory_appended_total";
/// Repeats of a known message id, for which nothing was written (counter).
pub const REPEATED: &str = "turnledger_memory_repeated_total";
/// Tallies that the background work replaced by counts (counter).
pub const SETTLED: &str = "turnledger_memory_settled_total";
/// Tallies that a sweep replaced by counts (counter).
pub const RECOVERED: &str = "turnledger_memory_recovered_total";
/// Tallies of fallbacks that were replaced by the counter's own counts (counter).
pub const RECOUNTED: &str = "turnledger_memory_recounted_total";
/// Messages that were left to a sweep, because the queue was full or the store failed (counter).
pub const LEFT_TO_SWEEP: &str = "turnledger_memory_left_to_sweep_total";
/// Messages whose counter failed three times (counter).
pub const GIVEN_UP: &str = "turnledger_memory_given_up_total";
/// Messages that a window charged with their upper bound (counter).
pub const CHARGED_UPPER_BOUND: &str = "turnledger_memory_charged_upper_bound_total";
