//! What a run has done so far, shown on standard error while it runs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{CliError, tell};

/// Time between two drawings of the line.
const TICK: Duration = Duration::from_millis(100);

/// A line that counts messages; it is drawn only where standard error is a terminal.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Begins to count.
    pub(crate) fn begin(doing: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The template is a constant; without it the default one would do.
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {msg}: {human_pos} messages, {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_message(doing);
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// Says what is being done now.
    pub(crate) fn turn_to(&self, doing: &'static str) {
        self.0.set_message(doing);
    }

    /// Counts messages.
    pub(crate) fn add(&self, messages: u64) {
        self.0.inc(messages);
    }

    /// Tells an error above the line.
    pub(crate) fn tell(&self, error: &CliError) {
        self.0.suspend(|| tell(error));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
