//! A clock that only the test turns.

use std::sync::mpsc::{Sender, channel};

/// Keeps a paused clock from going on by itself while only threads are at work: a runtime does
/// not turn its clock while somebody is blocked on its behalf.
pub(crate) struct StandStill(
    #[expect(dead_code, reason = "dropping it ends the blocked task")] Sender<()>,
);

impl StandStill {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = channel();
        tokio::task::spawn_blocking(move || receiver.recv().is_ok());
        Self(sender)
    }
}
