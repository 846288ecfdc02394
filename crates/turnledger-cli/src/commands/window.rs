//! `window`: the newest messages that fit a budget.

use std::fmt;

use serde::Serialize;
use serde_json::value::RawValue;
use turnledger::{LedgerEntry, Memory, MemoryError, Window, WindowError};

use super::named::existing;
use super::show::human_entry;
use crate::args::WindowArgs;
use crate::error::{CliError, Outcome};
use crate::output::{Output, count};

/// What a window takes, and where its run stands.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WindowShape {
    budget: u64,
    tokens: u64,
    /// All messages, those of the head included.
    messages: usize,
    /// The messages of the head.
    pinned: usize,
    /// The oldest message of the run behind the head.
    first_seq: Option<u64>,
    /// The newest.
    last_seq: Option<u64>,
}

impl WindowShape {
    pub(super) fn of(window: &Window) -> Self {
        let seq = |entry: Option<&LedgerEntry>| entry.map(|entry| entry.seq.get());
        Self {
            budget: window.budget,
            tokens: window.tokens,
            messages: window.len(),
            pinned: window.head.len(),
            first_seq: seq(window.run.first()),
            last_seq: seq(window.run.last()),
        }
    }
}

impl fmt::Display for WindowShape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { budget, tokens, messages, .. } = self;
        // The caller pads the whole text, so it is made first.
        let messages = count(*messages as u64, "message");
        formatter.pad(&format!("{tokens} of {budget} tokens, {messages}"))
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    conversation: &'a str,
    window: WindowShape,
    messages: Box<RawValue>,
}

/// Prints a window.
pub(crate) async fn window(
    args: WindowArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let (conversation, _) = existing(memory, &args.conversation).await?;
    let window = conversation.window(args.budget).await.map_err(|error| match error {
        MemoryError::Window(error) => CliError::NoWindow { reason: no_window(&error) },
        error => error.into(),
    })?;
    let shape = WindowShape::of(&window);
    if args.encoded.json {
        let messages = RawValue::from_string(window.to_json())
            .map_err(|error| CliError::Output { source: error.into() })?;
        let conversation = args.conversation.as_str();
        output.json(&Shown { conversation, window: shape, messages })?;
        return Ok(Outcome::Done);
    }
    for entry in window.head.iter().chain(&window.run) {
        human_entry(entry, output)?;
    }
    output.line(shape)?;
    Ok(Outcome::Done)
}

/// Why there is no window, with the advice that someone at a command line can follow.
pub(super) fn no_window(error: &WindowError) -> String {
    match error {
        WindowError::NewestGroupTooLarge { tokens, left, budget } => format!(
            "the newest group takes {tokens} tokens, and {left} of the budget of {budget} are left \
             beside the head; raise --budget"
        ),
        WindowError::HeadTooLarge { tokens, budget } => format!(
            "the head, if any, and the reply's priming take {tokens} tokens, and the budget is \
             {budget}; raise --budget"
        ),
        other => other.to_string(),
    }
}
