//! Reading a whole conversation without holding it in memory.

use std::collections::VecDeque;

use memory_core::{Epoch, Seq};

use super::handle::Conversation;
use crate::entry::LedgerEntry;
use crate::error::MemoryError;

/// Messages that are read together.
const PAGE: usize = 256;

/// A conversation's retained messages, oldest first, read page by page.
///
/// Each page belongs to one moment, and several pages do not: what is appended meanwhile is seen.
/// Where the conversation is cleared meanwhile, the export ends.
#[derive(Debug)]
pub struct Export {
    conversation: Conversation,
    epoch: Option<Epoch>,
    read: VecDeque<LedgerEntry>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Page(Option<Seq>),
    End,
}

impl Export {
    pub(super) fn new(conversation: Conversation) -> Self {
        Self { conversation, epoch: None, read: VecDeque::new(), next: Next::Page(None) }
    }

    /// The next message; none after the last one, and after an error.
    ///
    /// # Errors
    ///
    /// Those of [`Conversation::page`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future skips no message.
    pub async fn next(&mut self) -> Option<Result<LedgerEntry, MemoryError>> {
        loop {
            if let Some(entry) = self.read.pop_front() {
                return Some(Ok(entry));
            }
            let Next::Page(after) = self.next else { return None };
            match self.conversation.page(after, PAGE).await {
                Ok(page) if after.is_some() && page.epoch != self.epoch => self.next = Next::End,
                Ok(page) => {
                    self.epoch = page.epoch;
                    self.next = page.next.map_or(Next::End, |next| Next::Page(Some(next)));
                    self.read = page.entries.into();
                }
                Err(error) => {
                    self.next = Next::End;
                    return Some(Err(error));
                }
            }
        }
    }
}
