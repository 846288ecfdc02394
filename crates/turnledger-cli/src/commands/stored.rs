//! What a conversation holds already, place by place.

use turnledger::{Conversation, Export, LedgerEntry, MemoryError, Message};

/// The stored messages of a conversation, asked for in the order of their places.
pub(super) struct Stored {
    export: Export,
    ahead: Option<LedgerEntry>,
}

/// What stands at a place.
pub(super) enum At {
    /// This message.
    Message(Message),
    /// Nothing any more: a trim has taken what was there.
    Gone,
    /// Nothing yet: the conversation ends before it.
    Free,
}

impl Stored {
    pub(super) fn of(conversation: &Conversation) -> Self {
        Self { export: conversation.export(), ahead: None }
    }

    /// What stands at the place, from 1; each call asks for the next one.
    pub(super) async fn at(&mut self, place: u64) -> Result<At, MemoryError> {
        if self.ahead.is_none() {
            self.ahead = self.export.next().await.transpose()?;
        }
        Ok(match self.ahead.take() {
            None => At::Free,
            Some(entry) if entry.seq.get() > place => {
                self.ahead = Some(entry);
                At::Gone
            }
            Some(entry) => At::Message(entry.message),
        })
    }
}
