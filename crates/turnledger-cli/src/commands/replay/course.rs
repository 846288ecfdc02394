//! Whether a replay goes on after an error.

use turnledger::{MemoryError, StoreError};

use crate::commands::named::concerns_one_conversation;
use crate::error::CliError;
use crate::progress::Progress;

/// How a run goes on, or ends.
pub(super) struct Course {
    /// Whether more of the input is wanted.
    pub(super) reading: bool,
    pub(super) keep_going: bool,
    /// Whether something was left out; that was told.
    pub(super) failed: bool,
    /// Why the run ends before the input does; not told yet.
    pub(super) ended: Option<CliError>,
}

impl Course {
    /// Meets an error of a conversation, which may be the store's; says whether it concerns what
    /// is running as well.
    pub(super) fn meets(&mut self, error: CliError, progress: &Progress) -> bool {
        if !concerns_the_rest(&error) {
            self.passes(&error, progress);
            return false;
        }
        if self.ended.as_ref().is_none_or(|ended| weight(ended) < weight(&error)) {
            self.ended = Some(error);
        }
        self.reading = false;
        true
    }

    /// Passes by what cannot be appended.
    pub(super) fn passes(&mut self, error: &CliError, progress: &Progress) {
        progress.tell(error);
        self.failed = true;
        self.reading &= self.keep_going;
    }
}

/// Whether what is behind this conversation cannot be appended either.
fn concerns_the_rest(error: &CliError) -> bool {
    match error {
        CliError::Conflict { .. } | CliError::Id { .. } => false,
        CliError::NotStored { source, .. } => !concerns_one_conversation(source),
        _ => true,
    }
}

/// How much an error says of why a run ended, beside others that came of the same cause.
fn weight(error: &CliError) -> u8 {
    match error {
        // What was running has stopped.
        CliError::Interrupted => 0,
        // There was another error before this one.
        CliError::NotStored { source: MemoryError::Store(StoreError::Poisoned), .. } => 1,
        _ => 2,
    }
}
