//! Appends by a memory: what a caller of `Conversation::append` gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use memory_core::{ConversationId, Message, TokenCounter};
use memory_instance::{Conversation, Entry, Memory, MemoryBuilder};

use super::load::Way;
use super::store::{Served, message_id};
use crate::ledger::{FreeCounter, Outcome, warmed_up};

/// Far more time than counting a message takes.
const AMPLE: Duration = Duration::from_secs(1);

/// A memory with its defaults on the server's store, ready to count.
pub(super) async fn memory(served: &Served, counter: impl TokenCounter) -> Outcome<Memory> {
    build(Memory::builder().store(served.store.clone()).counter(counter)).await
}

/// A memory that counts every message at its append, and takes no time for that.
pub(super) async fn memory_that_counts_at_once(served: &Served) -> Outcome<Memory> {
    let memory = Memory::builder().store(served.store.clone()).counter(FreeCounter::new()?);
    build(memory.inline_budget(AMPLE)).await
}

async fn build(builder: MemoryBuilder) -> Outcome<Memory> {
    let memory = builder.build().await?;
    warmed_up(&memory).await?;
    Ok(memory)
}

/// Appends to conversations of a memory.
#[derive(Clone)]
pub(super) struct Conversations {
    opened: Arc<[Conversation]>,
    messages: Arc<[Message]>,
    /// The last caller's id; none where messages have none.
    ids: Option<Arc<AtomicU64>>,
}

impl Conversations {
    /// So many conversations, to which these messages are appended in turn.
    pub(super) fn new(
        memory: &Memory,
        name: &str,
        count: usize,
        messages: Arc<[Message]>,
    ) -> Outcome<Self> {
        let names = (0..count).map(|number| format!("{name}-{number:04}"));
        let open = |name: String| Ok(memory.conversation(ConversationId::new(name)?));
        let opened = names.map(open).collect::<Outcome<_>>()?;
        Ok(Self { opened, messages, ids: None })
    }

    /// The same with caller's ids of 16 bytes, no two alike.
    pub(super) fn with_ids(self) -> Self {
        Self { ids: Some(Arc::default()), ..self }
    }
}

impl Way for Conversations {
    async fn append(&self, number: usize) -> Outcome<()> {
        let mut entry = Entry::new(self.messages[number % self.messages.len()].clone());
        if let Some(ids) = &self.ids {
            entry = entry.with_id(message_id(ids.fetch_add(1, Ordering::Relaxed))?);
        }
        self.opened[number % self.opened.len()].append(entry).await?;
        Ok(())
    }
}
