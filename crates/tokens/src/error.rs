//! What can go wrong before anything is counted.

use std::fmt;
use std::io;
use std::time::Duration;

/// Why a counting pool was not built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The queue's capacity is out of bounds.
    #[error("queue capacity {capacity} is out of bounds; choose 1 to {max}")]
    Capacity {
        /// What was asked for.
        capacity: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// The number of workers is out of bounds.
    #[error("{workers} worker threads are out of bounds; choose 1 to {max}")]
    Workers {
        /// What was asked for.
        workers: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// No count ends within no time.
    #[error("the time after which a count is taken to hang is zero; choose more")]
    HungAfter,
    /// The system refused a thread.
    #[error("worker thread {name} could not be started; lower the number of workers")]
    Spawn {
        /// The thread's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A count that did not end, as the source of a [`CountError::Failed`].
///
/// Its worker was replaced as far as may be. While the count goes on, other jobs with the same texts
/// get the same answer at once.
///
/// [`CountError::Failed`]: memory_core::CountError::Failed
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the count had not ended after {after:?}")]
pub struct HungCount {
    /// How long it had been allowed to take.
    pub after: Duration,
}

/// A name that is no known encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownEncoding {
    pub(crate) name: String,
    pub(crate) nearest: Option<&'static str>,
    pub(crate) known: &'static [&'static str],
}

impl UnknownEncoding {
    /// The name that was asked for, cut after 64 characters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The known name that is nearest to it, where one is near.
    pub fn nearest(&self) -> Option<&'static str> {
        self.nearest
    }

    /// Every known name.
    pub fn known(&self) -> &'static [&'static str] {
        self.known
    }
}

impl fmt::Display for UnknownEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown encoding {:?}; ", self.name)?;
        if let Some(nearest) = self.nearest {
            write!(f, "did you mean {nearest}? ")?;
        }
        write!(f, "known are {}", self.known.join(", "))
    }
}

impl std::error::Error for UnknownEncoding {}
