//! The numbers that scripts can compute with.
//!
//! They count in floating point, in which numbers up to 2^53 are whole.

/// The largest moment, seq or number of messages.
pub(crate) const MOST: u64 = 1 << 52;

/// The largest span of time in milliseconds, some 36,000 years, and the largest payload, so that
/// sums with moments and sizes stay below.
pub(crate) const MOST_SPAN: u64 = 1 << 50;

/// A span of time in milliseconds.
pub(crate) fn span(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(MOST_SPAN)
}
