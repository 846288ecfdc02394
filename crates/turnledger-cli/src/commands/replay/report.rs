//! What a replay prints.

use std::time::Duration;

use serde::Serialize;
use turnledger::{Conversation, CounterId, Memory, MemoryError, Totals};

use super::append::Replayed;
use crate::args::ReplayArgs;
use crate::commands::named::concerns_one_conversation;
use crate::commands::window::{WindowShape, no_window};
use crate::error::CliError;
use crate::output::{Output, count, plain, seconds};

/// Prints conversations and the summary, in the form that was asked for.
pub(super) struct Report<'a> {
    args: &'a ReplayArgs,
    memory: &'a Memory,
    output: &'a mut Output,
    /// Whether the run was interrupted, so that nothing more is asked for: the input may be long,
    /// and the end is near.
    interrupted: bool,
    /// Why the store did not give what it was asked for, at the last time that it did not.
    unread: Option<MemoryError>,
}

/// The line of one conversation.
#[derive(Serialize)]
struct Line<'a> {
    conversation: &'a str,
    messages: u64,
    new_messages: u64,
    tokens: u64,
    pending: u64,
    counter: &'a str,
    window: Option<WindowShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    window_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tallies: Option<Vec<Option<u64>>>,
}

/// The sums over all conversations of the input.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Summary {
    conversations: u64,
    messages: u64,
    new_messages: u64,
    tokens: u64,
    pub(super) pending: u64,
    #[serde(skip)]
    fallback: u64,
    seconds: f64,
    seconds_to_exact: f64,
    appends_per_second: f64,
}

#[derive(Serialize)]
struct SummaryLine<'a> {
    summary: &'a Summary,
}

impl<'a> Report<'a> {
    pub(super) fn begin(
        args: &'a ReplayArgs,
        memory: &'a Memory,
        output: &'a mut Output,
        interrupted: bool,
    ) -> Result<Self, CliError> {
        if !args.json {
            let [messages, new, tokens, window] = ["messages", "new", "tokens", "window"];
            output.line(format_args!(
                "{messages:>8} {new:>8} {tokens:>10}  {window:<32}  conversation"
            ))?;
        }
        Ok(Self { args, memory, output, interrupted, unread: None })
    }

    /// Prints one conversation, also where the store no longer gives its window.
    pub(super) async fn conversation(&mut self, replayed: &Replayed) -> Result<(), CliError> {
        if self.output.is_closed() {
            return Ok(());
        }
        let conversation = self.memory.conversation(replayed.id.clone());
        let window = self.window(&conversation).await;
        let totals = replayed.totals;
        if !self.args.json {
            return self.human(replayed, &window);
        }
        let tallies = if self.args.tallies { self.tallies(&conversation).await } else { None };
        let (window, window_error) = match window {
            Ok(window) => (Some(window), None),
            Err(error) => (None, Some(error)),
        };
        let counter = self.memory.tally_id();
        self.output.json(&Line {
            conversation: replayed.id.as_str(),
            messages: totals.messages,
            new_messages: replayed.new_messages,
            tokens: totals.tokens,
            pending: totals.pending,
            counter: counter.as_str(),
            window,
            window_error,
            tallies,
        })
    }

    /// The failure of the store itself: it may take its whole deadline to fail again.
    fn broken(&self) -> Option<&MemoryError> {
        self.unread.as_ref().filter(|error| !concerns_one_conversation(error))
    }

    /// What could not be read, if anything.
    pub(super) fn unread(self) -> Option<MemoryError> {
        self.unread
    }

    /// The window, or why there is none: that is an answer, and a failure only where the store's.
    async fn window(&mut self, conversation: &Conversation) -> Result<WindowShape, String> {
        if self.interrupted {
            return Err("the run was interrupted".to_owned());
        }
        if let Some(error) = self.broken() {
            return Err(error.to_string());
        }
        match conversation.window(self.args.budget).await {
            Ok(window) => Ok(WindowShape::of(&window)),
            Err(MemoryError::Window(error)) => Err(no_window(&error)),
            Err(error) => Err(self.unread.insert(error).to_string()),
        }
    }

    /// The tokens of every message, in the order of their places; none for one that this counter
    /// has not seen.
    async fn tallies(&mut self, conversation: &Conversation) -> Option<Vec<Option<u64>>> {
        if self.interrupted || self.broken().is_some() {
            return None;
        }
        let (mut export, mut tallies) = (conversation.export(), Vec::new());
        while let Some(entry) = export.next().await {
            match entry {
                Ok(entry) => tallies.push(entry.tally.map(|tally| tally.tokens)),
                Err(error) => {
                    self.unread = Some(error);
                    return None;
                }
            }
        }
        Some(tallies)
    }

    fn human(
        &mut self,
        replayed: &Replayed,
        window: &Result<WindowShape, String>,
    ) -> Result<(), CliError> {
        let Totals { messages, tokens, .. } = replayed.totals;
        let (new, id) = (replayed.new_messages, plain(replayed.id.as_str()));
        let fits = match window {
            Ok(window) => window.to_string(),
            Err(_) if self.interrupted => "not asked for".to_owned(),
            Err(_) => format!("none of {} tokens", self.args.budget),
        };
        self.output.line(format_args!("{messages:>8} {new:>8} {tokens:>10}  {fits:<32}  {id}"))?;
        match window {
            Ok(_) => Ok(()),
            Err(_) if self.interrupted => Ok(()),
            Err(error) => self.output.line(format_args!("{:>30}{error}", "")),
        }
    }

    /// Prints the last line, or lines.
    pub(super) fn summary(&mut self, summary: &Summary) -> Result<(), CliError> {
        if self.args.json {
            return self.output.json(&SummaryLine { summary });
        }
        for line in summary.lines(&self.memory.tally_id()) {
            self.output.line(line)?;
        }
        Ok(())
    }
}

impl Summary {
    pub(super) fn new(appending: Duration, to_exact: Duration) -> Self {
        Self {
            conversations: 0,
            messages: 0,
            new_messages: 0,
            tokens: 0,
            pending: 0,
            fallback: 0,
            seconds: appending.as_secs_f64(),
            seconds_to_exact: to_exact.as_secs_f64(),
            appends_per_second: 0.0,
        }
    }

    pub(super) fn add(&mut self, replayed: &Replayed) {
        self.conversations += 1;
        self.add_messages(replayed);
    }

    /// Adds the messages of a conversation that is not counted as replayed.
    pub(super) fn add_messages(&mut self, replayed: &Replayed) {
        let totals = &replayed.totals;
        self.messages += totals.messages;
        self.new_messages += replayed.new_messages;
        self.tokens += totals.tokens;
        self.pending += totals.pending;
        self.fallback += totals.fallback;
        if self.seconds > 0.0 {
            #[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
            let new_messages = self.new_messages as f64;
            self.appends_per_second = new_messages / self.seconds;
        }
    }

    fn lines(&self, counter: &CounterId) -> [String; 2] {
        let Self { conversations, messages, new_messages, tokens, pending, .. } = self;
        let (took, rate) = (seconds(self.seconds), self.appends_per_second);
        let exact = if *pending + self.fallback == 0 { "all exact" } else { "not all exact" };
        let (conversations, messages) =
            (count(*conversations, "conversation"), count(*messages, "message"));
        let (tokens, appends) = (count(*tokens, "token"), count(*new_messages, "append"));
        [
            format!(
                "{conversations}, {messages} ({new_messages} new), {tokens}, {pending} pending, \
                 counted by {counter}"
            ),
            format!(
                "{appends} in {took}, {rate:.0} a second; {exact} {} after the last",
                seconds(self.seconds_to_exact),
            ),
        ]
    }
}
