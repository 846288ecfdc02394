//! Running code that is not ours without being taken down by it.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// A caught panic.
///
/// Its payload is dropped where it was caught: it may hold content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Runs `code`, and catches its panic.
///
/// What `code` shares with others must bear being left half done, which is what the assertion of
/// unwind safety stands for: counters are stateless by contract, and a callback is consumed.
pub(crate) fn guarded<T>(code: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        // Dropping the payload runs code of whoever panicked, and that may panic again.
        if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(again);
        }
        Panicked
    })
}
