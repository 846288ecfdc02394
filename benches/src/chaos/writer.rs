//! Writers: they do random things to their conversations, and say so.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use memory_core::{
    ConversationId, ConversationKey, Epoch, MemoryStore, Namespace, Seq, StoreError, Trim,
};
use memory_instance::{Conversation, CountPolicy, Memory, MemoryError, Receipt};
use serde::{Deserialize, Serialize};

use super::content::{Contents, Counting, Item};
use super::error::{ChaosError, Outcome};
use super::expect::Retry;
use super::record::{Action, Answer, Appended, Operation, Record};

/// How many conversations there are.
pub(super) const CONVERSATIONS: u8 = 4;
/// The conversation that several writers share; each other one has its own.
pub(super) const SHARED: u8 = 3;
/// How many writers there are.
const WRITERS: u8 = 6;

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
    /// How much each writer does; none for no end.
    pub(super) operations: Option<u64>,
    /// What is repeated first.
    pub(super) retries: Vec<Retry>,
}

/// The key of a conversation.
pub(super) fn key(conversation: u8) -> Outcome<ConversationKey> {
    let id = ConversationId::new(format!("conversation {conversation}"))?;
    Ok(ConversationKey::new(Namespace::default(), id))
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
            operations: None,
            retries: Vec::new(),
        }
    }

    /// Writes until every writer is through with its operations, or has met an error.
    pub(super) async fn write(
        &self,
        store: Arc<dyn MemoryStore>,
        note: &(impl Fn(Record) -> Outcome<()> + Sync),
    ) -> Outcome<()> {
        let policy = CountPolicy::from_str(&self.policy);
        let memory = Memory::builder()
            .store(store)
            .counter(self.counting.counter())
            .count_policy(policy.unwrap_or_default())
            .queue_capacity(self.queue)
            .workers(1)
            .deadline(Duration::from_mins(1))
            .build()
            .await?;
        let contents = Contents::new(self.seed, self.counting);
        let writers = (0..WRITERS).map(|number| {
            let conversation = number.min(SHARED);
            let mut writer = Writer {
                number,
                conversation,
                handle: memory
                    .conversation(ConversationId::new(format!("conversation {conversation}"))?),
                memory: &memory,
                contents: &contents,
                rng: Rng::with_seed(self.seed ^ (self.round << 8) ^ u64::from(number)),
                next: (self.round << 40) | (u64::from(number) << 32),
                known: Vec::new(),
                newest: None,
            };
            Ok(async move { writer.write(self, note).await })
        });
        let writers: Outcome<Vec<_>> = writers.collect();
        join_all(writers?).await.into_iter().collect()
    }
}

struct Writer<'a> {
    number: u8,
    conversation: u8,
    handle: Conversation,
    memory: &'a Memory,
    contents: &'a Contents,
    rng: Rng,
    /// The next message's serial.
    next: u64,
    /// Serials that were given as ids.
    known: Vec<u64>,
    /// Where the newest own message went.
    newest: Option<(Epoch, u64)>,
}

impl Writer<'_> {
    async fn write(
        &mut self,
        session: &Session,
        note: &(impl Fn(Record) -> Outcome<()> + Sync),
    ) -> Outcome<()> {
        let writer = self.number;
        let mut retries = session.retries.iter().filter(|retry| retry.writer == writer);
        let mut left = session.operations;
        while left != Some(0) {
            left = left.map(|left| left - 1);
            let action = match retries.next() {
                Some(retry) => Action::Append(retry.items.clone()),
                None => self.draw(),
            };
            let operation = Operation { conversation: self.conversation, action };
            note(Record::Begun { writer, operation: operation.clone() })?;
            let answer = self.act(&operation.action).await?;
            let goes_on = answer.is_acknowledgement() || answer == Answer::Conflict;
            note(Record::Done { writer, answer })?;
            if !goes_on {
                return Ok(());
            }
            if self.rng.u8(..16) == 0
                && let Some(detail) = self.look().await?
            {
                note(Record::Broken { detail })?;
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> Action {
        let only_appends = self.conversation == SHARED;
        match self.rng.u8(..if only_appends { 80 } else { 100 }) {
            80..=87 => Action::DropNewest(self.rng.u64(1..5)),
            88 | 89 => Action::Clear,
            90..=95 if let Some((epoch, seq)) = self.newest => {
                let before = seq.saturating_sub(self.rng.u64(..30)).max(1);
                Action::Trim { epoch: epoch.to_string(), before }
            }
            96.. if !self.known.is_empty() => {
                let serial = self.known[self.rng.usize(..self.known.len())];
                let altered = self.rng.u8(..4) == 0;
                let mut items = vec![Item { serial, with_id: true, altered }];
                items.extend((0..self.rng.u8(..3)).map(|_| self.item()));
                Action::Append(items)
            }
            kind => {
                let messages = if kind < 60 { 1 } else { self.rng.u8(2..9) };
                Action::Append((0..messages).map(|_| self.item()).collect())
            }
        }
    }

    fn item(&mut self) -> Item {
        self.next += 1;
        let with_id = self.rng.u8(..3) == 0;
        if with_id {
            self.known.push(self.next);
        }
        Item { serial: self.next, with_id, altered: false }
    }

    async fn act(&mut self, action: &Action) -> Outcome<Answer> {
        let result = match action {
            Action::Append(items) => {
                let entries: Outcome<Vec<_>> =
                    items.iter().map(|item| self.contents.entry(*item)).collect();
                let receipts = match self.handle.append_many(entries?).await {
                    Ok(receipts) => receipts,
                    Err(error) => return Ok(refusal(&error)),
                };
                return self.appended(&receipts);
            }
            Action::DropNewest(count) => self.handle.drop_newest(*count).await.map(|dropped| {
                Answer::Dropped { removed: dropped.removed, next: dropped.next_seq.get() }
            }),
            Action::Clear => {
                let cleared = self.handle.clear().await;
                cleared.map(|cleared| Answer::Cleared { removed: cleared.removed })
            }
            Action::Trim { epoch, before } => {
                let (Ok(epoch), Some(before)) = (Epoch::parse(epoch), Seq::new(*before)) else {
                    return Err(ChaosError::violation("a receipt has no epoch"));
                };
                let trim = Trim { epoch, before };
                let trimmed = self.memory.store().trim(self.handle.key(), trim).await;
                trimmed.map_err(MemoryError::from).map(|trimmed| Answer::Trimmed {
                    removed: trimmed.removed,
                    first: trimmed.first.get(),
                })
            }
        };
        Ok(result.unwrap_or_else(|error| refusal(&error)))
    }

    fn appended(&mut self, receipts: &[Receipt]) -> Outcome<Answer> {
        let Some(last) = receipts.last() else {
            return Err(ChaosError::violation("an append has no receipts"));
        };
        self.newest = Some((last.epoch, last.seq.get()));
        Ok(Answer::Appended(Appended {
            epoch: last.epoch.to_string(),
            places: receipts.iter().map(|receipt| (receipt.seq.get(), receipt.new)).collect(),
            messages: last.totals.messages,
            tokens: last.totals.tokens,
            pending: last.totals.pending,
        }))
    }

    /// Reads a window; what is wrong with it, if anything is.
    async fn look(&mut self) -> Outcome<Option<String>> {
        let budget = self.rng.u64(..4000);
        match self.handle.window(budget).await {
            Ok(window) if window.tokens > budget => {
                Ok(Some(format!("a window of {budget} tokens has {}", window.tokens)))
            }
            // The newest group may be larger than the budget, and the store may fail.
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

fn refusal(error: &MemoryError) -> Answer {
    match error {
        MemoryError::Store(StoreError::Conflict { .. }) => Answer::Conflict,
        error => {
            let text = chain(error);
            if error.is_outcome_unknown() {
                Answer::Unknown { error: text }
            } else {
                Answer::Failed { error: text }
            }
        }
    }
}

/// An error with its causes, for a pipe.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
