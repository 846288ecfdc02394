//! What the metrics mean, for recorders that show it.

use metrics::describe_counter;

use super::names;

/// Describes every metric of this crate to the recorder that is installed.
///
/// Call it once, after installing one.
pub fn describe() {
    describe_counter!(names::APPENDED, "messages that were appended");
    describe_counter!(names::REPEATED, "repeats of a known message id");
    describe_counter!(names::SETTLED, "tallies that background work replaced by counts");
    describe_counter!(names::RECOVERED, "tallies that a sweep replaced by counts");
    describe_counter!(
        names::RECOUNTED,
        "tallies of fallbacks that were replaced by the counter's own counts"
    );
    describe_counter!(names::LEFT_TO_SWEEP, "messages that were left to a sweep");
    describe_counter!(names::GIVEN_UP, "messages whose counter failed three times");
    describe_counter!(
        names::CHARGED_UPPER_BOUND,
        "messages that a window charged with their upper bound"
    );
}
