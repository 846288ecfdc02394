//! How one process, or one life of a store, is written to.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use memory_core::{ConversationId, ConversationKey, MemoryStore, Namespace, TokenCounter};
use memory_instance::{CountPolicy, Memory};
use serde::{Deserialize, Serialize};

use super::content::{Contents, Counting};
use super::error::Outcome;
use super::expect::Retry;
use super::record::Record;
use super::writer::Writer;

/// The conversation that several writers share where each other one has its own.
pub(super) const SHARED: u16 = u16::MAX;

/// Who writes to which conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Layout {
    /// So many writers have a conversation each, with their own number, and some more share one
    /// that is only appended to.
    Own { own: u16, sharing: u16 },
    /// So many writers come to the same conversations, turn by turn. Those with an even number are
    /// only appended to.
    Crowd { writers: u16, conversations: Vec<u16> },
}

impl Layout {
    /// What an embedded store is written to by.
    pub(super) const FEW: Self = Self::Own { own: 3, sharing: 3 };

    /// The conversations that it comes to, from this writer on.
    pub(super) fn conversations(&self, first: u16) -> Vec<u16> {
        match self {
            Self::Own { own, sharing } => {
                let shared = (*sharing > 0).then_some(SHARED);
                (first..first + own).chain(shared).collect()
            }
            Self::Crowd { conversations, .. } => conversations.clone(),
        }
    }
}

/// How soon a memory sweeps, and what it holds back from sweeps, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Sweeping {
    pub(super) interval: u64,
    pub(super) lease: u64,
    pub(super) grace: u64,
}

/// How one process, or one life of a store, is written to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Session {
    /// What the contents of the file are drawn from.
    pub(super) seed: u64,
    /// Which session on the file this is; no message comes in two.
    pub(super) round: u64,
    pub(super) counting: Counting,
    /// The name of the count policy.
    pub(super) policy: String,
    /// How many messages wait to be counted at most.
    pub(super) queue: usize,
    pub(super) layout: Layout,
    /// The number of the first writer, where other processes write, too.
    pub(super) first: u16,
    /// The memory's defaults where nothing is given.
    pub(super) sweeping: Option<Sweeping>,
    /// Whether a writer goes on after an error.
    pub(super) persists: bool,
    /// How long a writer waits after each operation, in milliseconds.
    pub(super) pause: u64,
    /// Whether writers read windows in between.
    pub(super) looks: bool,
    /// How much each writer does; none for no end.
    pub(super) operations: Option<u64>,
    /// What is repeated first.
    pub(super) retries: Vec<Retry>,
}

/// The key of a conversation.
pub(super) fn key(conversation: u16) -> Outcome<ConversationKey> {
    Ok(ConversationKey::new(Namespace::default(), id(conversation)?))
}

fn id(conversation: u16) -> Outcome<ConversationId> {
    Ok(ConversationId::new(format!("conversation {conversation}"))?)
}

impl Session {
    /// Draws how a file is written to next.
    pub(super) fn draw(seed: u64, round: u64, counting: Counting, rng: &mut Rng) -> Self {
        let policy = if rng.bool() { CountPolicy::Background } else { CountPolicy::Adaptive };
        Self {
            seed,
            round,
            counting,
            policy: policy.as_str().to_owned(),
            queue: [2, 20, 1000][rng.usize(..3)],
            layout: Layout::FEW,
            first: 0,
            sweeping: None,
            persists: false,
            pause: 0,
            looks: true,
            operations: None,
            retries: Vec::new(),
        }
    }

    /// A memory as the session has it.
    pub(super) async fn memory(
        &self,
        store: Arc<dyn MemoryStore>,
        counter: Arc<dyn TokenCounter>,
    ) -> Outcome<Memory> {
        let policy = CountPolicy::from_str(&self.policy);
        let mut memory = Memory::builder()
            .store(store)
            .counter(counter)
            .count_policy(policy.unwrap_or_default())
            .queue_capacity(self.queue)
            .workers(1)
            .deadline(Duration::from_mins(1));
        if let Some(Sweeping { interval, lease, grace }) = self.sweeping {
            memory = memory
                .sweep_interval(Duration::from_millis(interval))
                .lease(Duration::from_millis(lease))
                .grace(Duration::from_millis(grace));
        }
        Ok(memory.build().await?)
    }

    /// Writes until every writer is through with its operations, or has met an error.
    pub(super) async fn write(
        &self,
        store: Arc<dyn MemoryStore>,
        note: &(impl Fn(Record) -> Outcome<()> + Sync),
    ) -> Outcome<()> {
        let memory = self.memory(store, self.counting.counter()).await?;
        self.write_on(&memory, &AtomicBool::new(false), note).await
    }

    /// The same with a memory that stays, until the writers are told to stop.
    pub(super) async fn write_on(
        &self,
        memory: &Memory,
        stop: &AtomicBool,
        note: &(impl Fn(Record) -> Outcome<()> + Sync),
    ) -> Outcome<()> {
        let contents = Contents::new(self.seed, self.counting);
        let writers = match &self.layout {
            Layout::Own { own, sharing } => own + sharing,
            Layout::Crowd { writers, .. } => *writers,
        };
        let writers = (0..writers).map(|place| {
            let number = self.first + place;
            let conversation = match &self.layout {
                Layout::Own { own, .. } if place < *own => number,
                Layout::Own { .. } => SHARED,
                Layout::Crowd { conversations, .. } => {
                    conversations[usize::from(place) % conversations.len()]
                }
            };
            let handle = memory.conversation(id(conversation)?);
            let mut writer = Writer::new(self, number, conversation, handle, memory, &contents);
            Ok(async move { writer.write(stop, note).await })
        });
        let writers: Outcome<Vec<_>> = writers.collect();
        join_all(writers?).await.into_iter().collect()
    }
}
