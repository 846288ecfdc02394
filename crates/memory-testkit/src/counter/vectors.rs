//! Counts that are known.

use memory_core::TokenCounter;

use super::contract::shown;
use crate::verdict::{Verdict, ensure_eq};

/// Each text has the count that is given with it.
pub fn equals<'a>(
    counter: &dyn TokenCounter,
    vectors: impl IntoIterator<Item = (&'a str, usize)>,
) -> Verdict {
    for (text, expected) in vectors {
        ensure_eq!(counter.count(text)?, expected, "tokens of {}", shown(text));
    }
    Ok(())
}
