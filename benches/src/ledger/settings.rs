//! How much is measured, and where.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::machine::Load;
use super::measure::Reference;
use super::outcome::Outcome;

/// A share of the machine that others may take while a round begins.
const QUIET: f64 = 0.10;
/// How long the machine is watched to find out what others take.
const WATCH: Duration = Duration::from_millis(500);

/// How much is measured, and where.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often each alternative has its turn.
    pub rounds: usize,
    /// Whether this only tries that everything runs: the figures mean nothing then.
    pub quick: bool,
    /// Where the stores' files are.
    pub directory: PathBuf,
    /// How long a round may wait for other programs to be quiet.
    pub patience: Duration,
}

impl Settings {
    /// One of two amounts: the one to measure with, or the small one that only tries.
    pub(crate) const fn amount(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }

    /// Begins a round: waits for a quiet machine, as long as the patience lasts, and times the
    /// reference loop.
    pub(crate) fn begin_round(&self, reference: &mut Reference) -> Outcome<()> {
        let end = Instant::now() + self.patience;
        while Instant::now() < end {
            let before = Load::now()?;
            std::thread::sleep(WATCH);
            if Load::now()?.others_since(&before) < QUIET {
                break;
            }
        }
        reference.time();
        Ok(())
    }

    /// A directory of its own for the files of one store; dropping it removes them.
    pub(crate) fn store_directory(&self) -> Outcome<tempfile::TempDir> {
        Ok(tempfile::Builder::new().prefix("turnledger-bench-").tempdir_in(&self.directory)?)
    }
}
