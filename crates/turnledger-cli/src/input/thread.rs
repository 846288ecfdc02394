//! Blocking work on a thread of its own.

use std::thread;

use tokio::sync::oneshot;

use crate::error::CliError;

/// Runs `work` on a new thread.
///
/// The runtime's own threads for such work are waited for at the end of the program; a thread
/// that waits for standard input must not be.
pub(crate) async fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CliError> {
    let (sender, receiver) = oneshot::channel();
    let run = move || {
        // Nobody waits for the answer where the program was interrupted.
        let _ = sender.send(work());
    };
    thread::Builder::new()
        .name("turnledger-input".into())
        .spawn(run)
        .map_err(|source| CliError::Thread { source })?;
    receiver.await.map_err(|lost| CliError::Thread { source: std::io::Error::other(lost) })
}
