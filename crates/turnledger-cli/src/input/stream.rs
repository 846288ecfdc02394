//! Input read on a thread of its own, so that parsing and storing go on side by side.

use std::path::PathBuf;
use std::thread;

use tokio::sync::mpsc;
use turnledger::Limits;

use super::error::BadInput;
use super::reader::{Conversation, Reader};
use crate::args::ForcedFormat;
use crate::error::CliError;

/// Conversations that are read before someone wants them. Each may be large, so they are few.
const AHEAD: usize = 16;

/// The conversations of a run, in the order of the input.
pub(crate) struct Stream {
    receiver: mpsc::Receiver<Result<Conversation, BadInput>>,
}

/// Begins to read files, one after the other.
///
/// The thread is not joined: it may wait for standard input when the program ends. It ends when
/// the stream is dropped and it has read one more piece.
pub(crate) fn stream(
    files: Vec<PathBuf>,
    forced: Option<ForcedFormat>,
    limits: Limits,
) -> Result<Stream, CliError> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let read = move || {
        for conversation in Reader::new(files, forced, limits) {
            if sender.blocking_send(conversation).is_err() {
                return;
            }
        }
    };
    thread::Builder::new()
        .name("turnledger-input".into())
        .spawn(read)
        .map_err(|source| CliError::Thread { source })?;
    Ok(Stream { receiver })
}

impl Stream {
    /// The next conversation; none at the end of the last file.
    pub(crate) async fn next(&mut self) -> Option<Result<Conversation, BadInput>> {
        self.receiver.recv().await
    }
}
