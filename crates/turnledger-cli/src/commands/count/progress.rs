//! How far a long count has come.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{CliError, tell};

/// Below so many bytes a count is over before anyone looks.
const LARGE: u64 = 16 << 20;

/// Time between two drawings of the line.
const TICK: Duration = Duration::from_millis(100);

/// A bar of bytes, or a line where nobody knows how many there are, as of a pipe. It is drawn only
/// where standard error is a terminal, and not for input that is known to be small.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn begin(paths: &[PathBuf]) -> Self {
        let sizes = paths.iter().map(|path| {
            let file = fs::metadata(path).ok().filter(fs::Metadata::is_file);
            file.map(|file| file.len())
        });
        let total = sizes.sum::<Option<u64>>();
        if total.is_some_and(|total| total < LARGE) {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
        let template = match total {
            Some(_) => "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{spinner} {bytes}, {bytes_per_sec}",
        };
        // The templates are constants; without them the default one would do.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// So many bytes more are counted.
    pub(super) fn add(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Tells an error above the bar.
    pub(super) fn tell(&self, error: &CliError) {
        self.0.suspend(|| tell(error));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
