//! Writers: they do random things to their conversations, and say so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use memory_core::{Epoch, Seq, StoreError, Trim};
use memory_instance::{Conversation, Memory, MemoryError, Receipt};

use super::content::{Contents, Item};
use super::error::{ChaosError, Outcome};
use super::record::{Action, Answer, Appended, Operation, Record};
use super::session::{Layout, SHARED, Session};

/// Ids that all writers of a crowd use: so many.
const COMMON: u64 = 200;
/// What sets their serials apart from each writer's own.
const COMMON_SERIALS: u64 = 1 << 63;
/// How long a writer waits after a failure.
const PAUSE: Duration = Duration::from_millis(1);

/// One of a session's writers.
pub(super) struct Writer<'a> {
    session: &'a Session,
    number: u16,
    conversation: u16,
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

impl<'a> Writer<'a> {
    pub(super) fn new(
        session: &'a Session,
        number: u16,
        conversation: u16,
        handle: Conversation,
        memory: &'a Memory,
        contents: &'a Contents,
    ) -> Self {
        Self {
            session,
            number,
            conversation,
            handle,
            memory,
            contents,
            rng: Rng::with_seed(session.seed ^ (session.round << 16) ^ u64::from(number)),
            next: (session.round << 48) | (u64::from(number) << 32),
            known: Vec::new(),
            newest: None,
        }
    }

    /// Writes until it is through, is told to stop, or has met an error that it cannot go on after.
    pub(super) async fn write(
        &mut self,
        stop: &AtomicBool,
        note: &(impl Fn(Record) -> Outcome<()> + Sync),
    ) -> Outcome<()> {
        let (session, writer) = (self.session, self.number);
        let mut retries = session.retries.iter().filter(|retry| retry.writer == writer);
        let mut left = session.operations;
        while !stop.load(Ordering::Relaxed) {
            let action = match retries.next() {
                Some(retry) => Action::Append(retry.items.clone()),
                None if left == Some(0) => break,
                None => {
                    left = left.map(|left| left - 1);
                    self.draw()
                }
            };
            let operation = Operation { conversation: self.conversation, action };
            note(Record::Begun { writer, operation: operation.clone() })?;
            let answer = self.act(&operation.action).await?;
            let is_failure = !answer.is_acknowledgement() && answer != Answer::Conflict;
            let goes_on = self.goes_on_after(&answer);
            note(Record::Done { writer, answer })?;
            if !goes_on {
                return Ok(());
            }
            let pause = Duration::from_millis(session.pause);
            if is_failure || !pause.is_zero() {
                tokio::time::sleep(pause.max(PAUSE)).await;
            } else if session.looks
                && self.rng.u8(..16) == 0
                && let Some(detail) = self.look().await?
            {
                note(Record::Broken { detail })?;
            }
        }
        Ok(())
    }

    fn goes_on_after(&self, answer: &Answer) -> bool {
        let is_crowd = matches!(self.session.layout, Layout::Crowd { .. });
        match answer {
            Answer::Failed { .. } => self.session.persists,
            // What it would be answered next cannot be told where it is the only one to write.
            Answer::Unknown { .. } => self.session.persists && is_crowd,
            _ => true,
        }
    }

    fn draw(&mut self) -> Action {
        if let Layout::Crowd { .. } = self.session.layout {
            return self.draw_in_crowd();
        }
        let only_appends = self.conversation == SHARED;
        match self.rng.u8(..if only_appends { 80 } else { 100 }) {
            80..=87 => Action::DropNewest(self.rng.u64(1..5)),
            88 | 89 => Action::Clear,
            90..=95 if let Some(trim) = self.trim() => trim,
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

    fn draw_in_crowd(&mut self) -> Action {
        let only_appends = self.conversation.is_multiple_of(2);
        match self.rng.u16(..if only_appends { 930 } else { 1000 }) {
            998.. => Action::Clear,
            930.. if let Some(trim) = self.trim() => trim,
            kind => {
                let messages = if kind < 700 { 1 } else { self.rng.u8(2..9) };
                let mut items: Vec<_> = (0..messages).map(|_| self.item()).collect();
                let repeated = match self.rng.u8(..16) {
                    0 | 1 => Some(COMMON_SERIALS | self.rng.u64(..COMMON)),
                    2 if !self.known.is_empty() => {
                        Some(self.known[self.rng.usize(..self.known.len())])
                    }
                    _ => None,
                };
                items.extend(repeated.map(|serial| Item { serial, with_id: true, altered: false }));
                Action::Append(items)
            }
        }
    }

    fn trim(&mut self) -> Option<Action> {
        let (epoch, seq) = self.newest?;
        let before = seq.saturating_sub(self.rng.u64(..30)).max(1);
        Some(Action::Trim { epoch: epoch.to_string(), before })
    }

    fn item(&mut self) -> Item {
        self.next += 1;
        let with_id = self.rng.u8(..3) == 0;
        if with_id {
            self.known.push(self.next);
        }
        Item { serial: self.next, with_id, altered: false }
    }

    /// Does something, and says what it was answered.
    pub(super) async fn act(&mut self, action: &Action) -> Outcome<Answer> {
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
                Answer::Failed { error: text, retryable: error.is_retryable() }
            }
        }
    }
}

/// An error with its causes, for a pipe.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
