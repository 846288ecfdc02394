//! What a check found.

use std::error::Error;
use std::fmt;

use memory_core::{CountError, StoreError};

/// Whether a behaviour is as promised.
pub type Verdict = Result<(), Violation>;

/// How a promise was broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The answer is not the promised one.
    #[error("{detail}")]
    Broken {
        /// What was found, and what was promised.
        detail: String,
    },
    /// The store failed where it must not.
    #[error("the store returned an error where an answer was due")]
    Store(#[from] StoreError),
    /// The counter failed where it must not.
    #[error("the counter returned an error where a count was due")]
    Count(#[from] CountError),
}

impl Violation {
    pub(crate) fn new(detail: impl Into<String>) -> Self {
        Self::Broken { detail: detail.into() }
    }
}

/// The behaviours of a suite that are not as promised, with what each found.
///
/// Its `Debug` is its `Display`, so that `unwrap` in a test prints one line for each.
#[derive(thiserror::Error)]
pub struct Failures {
    suite: &'static str,
    broken: Vec<(&'static str, Violation)>,
}

impl Failures {
    /// The verdict over what was collected.
    pub(crate) fn verdict(
        suite: &'static str,
        broken: Vec<(&'static str, Violation)>,
    ) -> Result<(), Self> {
        if broken.is_empty() { Ok(()) } else { Err(Self { suite, broken }) }
    }

    /// The names of the behaviours that failed, and how.
    pub fn broken(&self) -> impl Iterator<Item = (&'static str, &Violation)> {
        self.broken.iter().map(|(name, violation)| (*name, violation))
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of the {} suite's behaviours failed", self.broken.len(), self.suite)?;
        for (name, violation) in &self.broken {
            write!(f, "\n  {name}: {violation}")?;
            let mut source = violation.source();
            while let Some(cause) = source {
                write!(f, ": {cause}")?;
                source = cause.source();
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Ends a check with a violation unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($detail:tt)+) => {
        if !$holds {
            return Err($crate::verdict::Violation::new(format!($($detail)+)));
        }
    };
}

/// Ends a check with a violation unless what was found equals what was expected.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr, $($detail:tt)+) => {
        match (&$found, &$expected) {
            (found, expected) => {
                if *found != *expected {
                    let what = format!($($detail)+);
                    return Err($crate::verdict::Violation::new(format!(
                        "{what}: found {found:?}, expected {expected:?}"
                    )));
                }
            }
        }
    };
}

pub(crate) use {ensure, ensure_eq};
