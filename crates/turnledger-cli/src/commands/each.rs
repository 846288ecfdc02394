//! The conversations that a command is about: those that were named, or all.

use std::collections::VecDeque;

use turnledger::{Conversation, ConversationId, Memory};

use super::named::existing;
use crate::error::CliError;

/// Conversations that are listed together.
const PAGE: usize = 256;

/// Conversations one after the other.
pub(super) struct Each<'a> {
    memory: &'a Memory,
    ready: VecDeque<Conversation>,
    next: Next,
}

enum Next {
    Page(Option<ConversationId>),
    End,
}

impl<'a> Each<'a> {
    /// The named conversations, all of which must exist; all of the namespace where none is named.
    pub(super) async fn of(memory: &'a Memory, named: &[String]) -> Result<Self, CliError> {
        if named.is_empty() {
            return Ok(Self { memory, ready: VecDeque::new(), next: Next::Page(None) });
        }
        let mut ready = VecDeque::with_capacity(named.len());
        for id in named {
            let (conversation, _) = existing(memory, id).await?;
            // What is named twice is meant once.
            if !ready.iter().any(|known: &Conversation| known.key() == conversation.key()) {
                ready.push_back(conversation);
            }
        }
        Ok(Self { memory, ready, next: Next::End })
    }

    pub(super) async fn next(&mut self) -> Result<Option<Conversation>, CliError> {
        loop {
            if let Some(conversation) = self.ready.pop_front() {
                return Ok(Some(conversation));
            }
            let after = match std::mem::replace(&mut self.next, Next::End) {
                Next::Page(after) => after,
                Next::End => return Ok(None),
            };
            let page = self.memory.list(after, PAGE).await?;
            let conversations = page.conversations.into_iter();
            self.ready.extend(conversations.map(|summary| self.memory.conversation(summary.id)));
            self.next = page.next.map_or(Next::End, |next| Next::Page(Some(next)));
        }
    }
}
