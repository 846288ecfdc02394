//! Why a run ended.

use std::path::PathBuf;
use std::process::ExitStatus;

use memory_core::{IdError, StoreError};
use memory_instance::MemoryError;

/// Why a run ended before it was through.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChaosError {
    /// A promise was broken.
    #[error("{detail}")]
    Violation {
        /// What was found, and what was promised.
        detail: String,
    },
    /// Where in the run another error came up.
    #[error("{part}, case {case} ({place})")]
    In {
        /// The part of the run.
        part: &'static str,
        /// The number of the file or image, from which its seed is drawn.
        case: u64,
        /// What is left of it to look at, or what was being done.
        place: String,
        /// What came up.
        source: Box<ChaosError>,
    },
    /// The store failed where it must not.
    #[error("the store failed where it must not")]
    Store(#[from] StoreError),
    /// The memory failed where it must not.
    #[error("the memory failed where it must not")]
    Memory(#[from] MemoryError),
    /// A history was answered otherwise than by the model.
    #[error("a history was answered otherwise than by the model")]
    History(#[from] Box<memory_testkit::history::Failure>),
    /// A server of the harness's own did not do what was asked.
    #[error("a server of the harness did not do what was asked")]
    Server(#[from] redis_testkit::Error),
    /// The pool of the harness cannot be set up.
    #[error("the pool to the servers cannot be set up")]
    Settings(#[from] cache_redis::SettingsError),
    /// The pool of the harness cannot be made.
    #[error("the pool to the servers cannot be made")]
    Pool(#[from] cache_redis::PoolError),
    /// The system refused something that the harness needs.
    #[error("{what}")]
    System {
        /// What was wanted.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The report could not be written.
    #[error("report {} cannot be written", path.display())]
    Report {
        /// Where to.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The writing process said something that is no record.
    #[error("the writing process wrote a line that is no record")]
    Record(#[from] serde_json::Error),
    /// The writing process ended by itself.
    #[error("the writing process ended by itself ({status}); what it said stands above")]
    ChildEnded {
        /// How.
        status: ExitStatus,
    },
    /// An id of the harness's own is not valid.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A thread of the harness panicked; the panic stands above.
    #[error("a thread of the harness panicked; what it said stands above")]
    Panicked,
    /// The run was told neither how long it shall be nor what it shall do.
    #[error("give --minutes, or a number with --kills, --losses, --faults or --histories")]
    NothingToDo,
}

impl ChaosError {
    pub(super) fn violation(detail: impl Into<String>) -> Self {
        Self::Violation { detail: detail.into() }
    }

    pub(super) fn system(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { what, source }
    }

    pub(super) fn within(self, part: &'static str, case: u64, place: impl Into<String>) -> Self {
        Self::In { part, case, place: place.into(), source: Box::new(self) }
    }
}

/// What most functions of the harness return.
pub(super) type Outcome<T> = Result<T, ChaosError>;

/// Ends a check with a violation unless a condition holds.
macro_rules! ensure {
    ($holds:expr, $($detail:tt)+) => {
        if !$holds {
            return Err($crate::chaos::error::ChaosError::violation(format!($($detail)+)));
        }
    };
}

pub(super) use ensure;
