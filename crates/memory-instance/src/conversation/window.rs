//! The newest messages that fit a budget.

use std::sync::Arc;

use futures_util::future::join_all;
use memory_core::groups::groups;
use memory_core::window::{Candidates, Run, Selection, WindowError, select};
use memory_core::{
    ConversationKey, CountError, Epoch, Message, StoredMessage, Tally, Totals, WindowQuery,
    WindowRead,
};
use metrics::counter;

use crate::deadline::Deadline;
use crate::entry::LedgerEntry;
use crate::error::MemoryError;
use crate::generation::Generation;
use crate::metrics::names;
use crate::shared::Shared;

/// How a window is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct WindowOptions {
    budget: u64,
    empty_run: bool,
    trust_fallback: bool,
}

impl WindowOptions {
    /// A window of at most `budget` tokens, framing and the reply's priming included.
    pub const fn new(budget: u64) -> Self {
        Self { budget, empty_run: false, trust_fallback: false }
    }

    /// Returns the head alone where the newest group does not fit, instead of an error.
    pub const fn allow_empty_run(mut self) -> Self {
        self.empty_run = true;
        self
    }

    /// Takes what a fallback has counted for what the counter would count, where that does not
    /// answer.
    ///
    /// The window may then be over its budget by as much as the fallback counts too little. Without
    /// it such a message is charged the most that it can cost, or there is no window where that is
    /// not known. [`Window::charged_fallback`] tells how many messages this was needed for.
    pub const fn trust_fallback(mut self) -> Self {
        self.trust_fallback = true;
        self
    }
}

/// The head of a conversation, and the newest run of whole groups that fits a budget behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// The budget that was asked for, in tokens.
    pub budget: u64,
    /// What the window takes of it: all its messages, and the reply's priming. Exact but for what
    /// `charged_upper_bound` and `charged_fallback` say, for media, and for messages that the
    /// counter was given up on.
    pub tokens: u64,
    /// The leading instructions, which are in every window.
    pub head: Vec<LedgerEntry>,
    /// The newest messages that fit, contiguous and oldest first.
    pub run: Vec<LedgerEntry>,
    /// The sums of the whole conversation at the moment of the read.
    pub totals: Totals,
    /// The conversation's present life; none where it holds nothing.
    pub epoch: Option<Epoch>,
    /// How many messages were charged with their upper bound, because their counts were not ready
    /// in time, or only a fallback had counted them.
    pub charged_upper_bound: u64,
    /// How many messages were charged what a fallback has counted; 0 unless the options
    /// [trust](WindowOptions::trust_fallback) it.
    pub charged_fallback: u64,
}

impl Window {
    /// The messages in the order in which a model reads them: the head, then the run.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.head.iter().chain(&self.run).map(|entry| &entry.message)
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.head.len() + self.run.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The messages as a JSON array, as a chat API takes them.
    pub fn to_json(&self) -> String {
        let messages: Vec<_> = self.messages().map(Message::as_json).collect();
        format!("[{}]", messages.join(","))
    }
}

/// A message that was read for a window, and what it is charged.
struct Charged {
    entry: LedgerEntry,
    tokens: u64,
    /// Whether the charge is more than a guess.
    known: bool,
}

impl Charged {
    fn is_open(&self) -> bool {
        !self.known
    }
}

/// How far back pending messages are counted.
#[derive(Clone, Copy)]
enum Reach {
    /// As far as the run reaches by what is known, and the group that ends it.
    First,
    /// As far as was read.
    Everything,
}

impl Reach {
    fn from(self, tail: &[Charged], selected: &Result<Selection, WindowError>) -> usize {
        let start = match selected {
            Ok(Selection::Run(run)) => run.range.start,
            Ok(Selection::ReadMore) => 0,
            Err(_) => tail.len(),
        };
        match self {
            Self::Everything => 0,
            Self::First => groups(tail[..start].iter().map(|charged| &charged.entry.message))
                .last()
                .map_or(0, |group| group.range.start),
        }
    }
}

/// What could not be counted in time.
#[derive(Default)]
struct Uncounted {
    charged_upper_bound: u64,
    charged_fallback: u64,
    unbounded: u64,
    error: Option<CountError>,
}

/// Why a message is not counted though there is a tally: the counter's own count would be another.
#[derive(Debug, thiserror::Error)]
#[error("the counter does not answer, and what its fallback counts may be too little")]
struct OnlyFallback;

pub(super) async fn window(
    shared: &Arc<Shared>,
    key: &ConversationKey,
    options: WindowOptions,
) -> Result<Window, MemoryError> {
    let deadline = shared.deadline();
    let generation = shared.generation();
    let mut reach = options.budget;
    loop {
        let query = WindowQuery { counter: generation.tally_id().clone(), budget: reach };
        let read = deadline.read("window", shared.store.read_window(key, query)).await?;
        shared.touch(key, &read.totals);
        let making = Making { shared, generation: &generation, options, deadline: &deadline };
        if let Some(window) = making.choose(key, read).await? {
            return Ok(window);
        }
        // Estimates were too far off for what was read; twice the reach makes up for that.
        reach = reach.saturating_mul(2).max(1024);
    }
}

/// What a window is made with.
struct Making<'a> {
    shared: &'a Shared,
    generation: &'a Generation,
    options: WindowOptions,
    deadline: &'a Deadline,
}

impl Making<'_> {
    /// Makes the window of what was read; none where that reaches not far enough back.
    async fn choose(
        &self,
        key: &ConversationKey,
        read: WindowRead,
    ) -> Result<Option<Window>, MemoryError> {
        let options = self.options;
        let mut head = charged(key, read.head)?;
        let mut tail = charged(key, read.tail)?;
        let mut uncounted = Uncounted::default();
        // What does not fit by far need not be counted. But an estimate may be too high as well, so
        // what ends the run must be counted, and if then more fits, everything that was read.
        let mut reach = Reach::First;
        let run = loop {
            let selected = self.selection(&head, &tail, read.reached_start);
            let from = reach.from(&tail, &selected);
            let needed = head.iter_mut().chain(&mut tail[from..]).filter(|one| one.is_open());
            let needed: Vec<_> = needed.collect();
            if needed.is_empty() {
                break selected;
            }
            self.count(needed, &mut uncounted).await;
            reach = Reach::Everything;
        };
        if let Some(source) = uncounted.error.filter(|_| uncounted.unbounded > 0) {
            return Err(MemoryError::Uncounted { messages: uncounted.unbounded, source });
        }
        let run = match run {
            Ok(Selection::Run(run)) => run,
            Ok(Selection::ReadMore) => return Ok(None),
            Err(WindowError::NewestGroupTooLarge { left, budget, .. }) if options.empty_run => {
                Run { range: tail.len()..tail.len(), tokens: budget - left }
            }
            Err(error) => return Err(error.into()),
        };
        counter!(names::CHARGED_UPPER_BOUND).increment(uncounted.charged_upper_bound);
        let entries = |charged: Vec<Charged>| charged.into_iter().map(|one| one.entry).collect();
        Ok(Some(Window {
            budget: options.budget,
            tokens: run.tokens,
            head: entries(head),
            run: entries(tail.split_off(run.range.start)),
            totals: read.totals,
            epoch: read.epoch,
            charged_upper_bound: uncounted.charged_upper_bound,
            charged_fallback: uncounted.charged_fallback,
        }))
    }

    fn selection(
        &self,
        head: &[Charged],
        tail: &[Charged],
        reached_start: bool,
    ) -> Result<Selection, WindowError> {
        let priming = self.generation.pool.framing().reply_priming;
        let fixed = head.iter().fold(priming, |sum, charged| sum.saturating_add(charged.tokens));
        let tail: Vec<_> =
            tail.iter().map(|charged| (&charged.entry.message, charged.tokens)).collect();
        select(&Candidates { budget: self.options.budget, fixed, tail: &tail, reached_start })
    }

    /// Counts what has no count of the counter's own, and charges the upper bound of what is not
    /// counted in time.
    async fn count(&self, needed: Vec<&mut Charged>, uncounted: &mut Uncounted) {
        // A little time is kept for putting the answer together.
        let allowed = self.shared.options.count_deadline.min(self.deadline.left().mul_f64(0.9));
        let counting = needed.into_iter().map(async |charged| {
            // A service that is down is not asked again for what its fallback has counted.
            let counted = match charged.entry.tally {
                Some(tally) if tally.is_fallback() && !self.generation.is_answering() => Ok(tally),
                _ => self.generation.pool.tally(&charged.entry.message, allowed).await,
            };
            (charged, counted)
        });
        for (charged, counted) in join_all(counting).await {
            charged.known = true;
            let stored = charged.entry.tally.filter(|tally| tally.is_fallback());
            match (counted, stored) {
                (Ok(tally), _) if !tally.is_fallback() => {
                    charged.tokens = tally.tokens;
                    charged.entry.tally = Some(tally);
                }
                (Ok(tally), _) | (Err(_), Some(tally)) => {
                    charged.entry.tally = Some(tally);
                    self.charge_fallback(charged, tally, uncounted);
                }
                (Err(error), None) => self.charge_bound(charged, error, uncounted),
            }
        }
    }

    fn charge_fallback(&self, charged: &mut Charged, tally: Tally, uncounted: &mut Uncounted) {
        if self.options.trust_fallback {
            charged.tokens = tally.tokens;
            uncounted.charged_fallback += 1;
            return;
        }
        let counter = self.generation.pool.counter_id().clone();
        let error = CountError::Failed { counter, source: Box::new(OnlyFallback) };
        self.charge_bound(charged, error, uncounted);
    }

    fn charge_bound(&self, charged: &mut Charged, error: CountError, uncounted: &mut Uncounted) {
        match self.generation.pool.upper_bound(&charged.entry.message) {
            Some(bound) => {
                charged.tokens = bound;
                uncounted.charged_upper_bound += 1;
            }
            None => uncounted.unbounded += 1,
        }
        uncounted.error = Some(error);
    }
}

/// Messages with the least that each can cost.
fn charged(key: &ConversationKey, stored: Vec<StoredMessage>) -> Result<Vec<Charged>, MemoryError> {
    let charge = |stored: StoredMessage| {
        let entry = Shared::entry(key, stored)?;
        let tokens = entry.tally.map_or(0, Tally::lower_bound);
        let counted = |tally: Tally| !tally.is_pending() && !tally.is_fallback();
        let known = entry.tally.is_some_and(counted);
        Ok(Charged { entry, tokens, known })
    };
    stored.into_iter().map(charge).collect()
}
