//! Taking out what must not be stored.

use std::error::Error;
use std::fmt;

use crate::message::Message;

/// Takes out of a message what must not be stored, before anything else sees it.
///
/// What is counted, written and compared with a repeat is the redacted message. So the same
/// message must always be redacted to the same one, or its repeat is a conflict.
pub trait Redactor: fmt::Debug + Send + Sync + 'static {
    /// The message to store in the place of this one; none where it may stay as it is.
    ///
    /// It runs on the caller's thread at every append, so it must be quick and must not block.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from redacting; the append then fails and nothing is written. The error
    /// must not carry content.
    fn redact(&self, message: &Message) -> Result<Option<Message>, Box<dyn Error + Send + Sync>>;
}
