//! The metrics of all parts.

/// Describes every metric of Turnledger to the recorder of the `metrics` facade.
///
/// Call it once, after installing a recorder; without one it does nothing. A memory publishes to
/// the recorder that was there when it was built.
///
/// # Examples
///
/// ```
/// // Install a recorder of your choice here.
/// turnledger::describe_metrics();
/// ```
pub fn describe_metrics() {
    tokens::metrics::describe();
    memory_instance::metrics::describe();
}
