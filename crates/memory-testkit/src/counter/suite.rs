//! All lines of the contract by name, and what runs them.

use memory_core::TokenCounter;

use super::contract::{
    both_ways_to_count_agree, bounds_hold, counting_is_deterministic, no_text_panics,
    safe_cuts_add_up, special_tokens_are_ordinary_text, the_empty_text_has_no_tokens,
    the_id_is_stable, threads_agree,
};
use crate::verdict::{Failures, Verdict};

/// One promised behaviour of a counter.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour {
    /// The function's name.
    pub name: &'static str,
    /// Checks it.
    pub check: fn(&dyn TokenCounter) -> Verdict,
}

macro_rules! behaviours {
    ($($name:ident),+ $(,)?) => {
        /// Every behaviour of the suite.
        pub const BEHAVIOURS: &[Behaviour] =
            &[$(Behaviour { name: stringify!($name), check: $name }),+];
    };
}

behaviours![
    no_text_panics,
    the_empty_text_has_no_tokens,
    the_id_is_stable,
    counting_is_deterministic,
    threads_agree,
    bounds_hold,
    both_ways_to_count_agree,
    safe_cuts_add_up,
    special_tokens_are_ordinary_text,
];

/// Checks every behaviour, and says which ones are not as promised.
///
/// # Errors
///
/// [`Failures`] with the name of each behaviour that failed.
///
/// # Examples
///
/// ```
/// use memory_core::{CountError, CounterId, TokenCounter};
/// use memory_testkit::counter;
///
/// /// Counts each byte as a token.
/// #[derive(Debug)]
/// struct Bytes(CounterId);
///
/// impl TokenCounter for Bytes {
///     fn id(&self) -> &CounterId {
///         &self.0
///     }
///
///     fn count(&self, text: &str) -> Result<usize, CountError> {
///         Ok(text.len())
///     }
/// }
///
/// let bytes = Bytes(CounterId::new("bytes")?);
/// counter::all(&bytes)?;
/// counter::equals(&bytes, [("", 0), ("four", 4), ("é", 2)])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn all(counter: &dyn TokenCounter) -> Result<(), Failures> {
    let mut broken = Vec::new();
    for behaviour in BEHAVIOURS {
        if let Err(violation) = (behaviour.check)(counter) {
            broken.push((behaviour.name, violation));
            // A counter that panics would end the next check in the same way, and say less.
            if behaviour.name == "no_text_panics" {
                break;
            }
        }
    }
    Failures::verdict("counter", broken)
}
