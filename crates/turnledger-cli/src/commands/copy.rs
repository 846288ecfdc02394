//! `copy`: conversations into another store.

use std::fmt;

use serde::Serialize;
use turnledger::{Conversation, Entry, Memory, MemoryError, Totals};

use super::each::Each;
use super::named::{concerns_one_conversation, message_id};
use super::settle::settle;
use crate::args::CopyArgs;
use crate::error::{CliError, NotCopied, Outcome};
use crate::output::{Output, count, noun, plain};
use crate::progress::Progress;
use crate::stop::Stop;

/// One conversation that was copied.
#[derive(Serialize)]
struct Line<'a> {
    conversation: &'a str,
    messages: u64,
    new_messages: u64,
    tokens: u64,
}

#[derive(Default, Serialize)]
struct Summary {
    conversations: u64,
    messages: u64,
    new_messages: u64,
    tokens: u64,
}

#[derive(Serialize)]
struct SummaryLine<'a> {
    summary: &'a Summary,
}

/// Copies conversations; what cannot be copied is told, and the others follow.
pub(crate) async fn copy(
    args: CopyArgs,
    from: &Memory,
    to: &Memory,
    output: &mut Output,
    stop: &Stop,
) -> Result<Outcome, CliError> {
    let mut summary = Summary::default();
    let copied = copy_each(&args, from, to, output, &mut summary, stop).await;
    // What was copied is told, also where something ended the rest.
    if args.encoded.json {
        output.json(&SummaryLine { summary: &summary })?;
    } else {
        output.line(&summary)?;
    }
    copied
}

async fn copy_each(
    args: &CopyArgs,
    from: &Memory,
    to: &Memory,
    output: &mut Output,
    summary: &mut Summary,
    stop: &Stop,
) -> Result<Outcome, CliError> {
    let mut outcome = Outcome::Done;
    let progress = Progress::begin("copying");
    let mut each = Each::of(from, &args.conversations).await?;
    while let Some(source) = each.next().await? {
        let id = source.key().id.clone();
        let target = to.conversation(id.clone());
        let copied = match copy_one(&source, &target, to, &progress, stop).await {
            Ok(copied) => copied,
            Err(error) if concerns_this_one(&error) => {
                progress.tell(&error);
                outcome = Outcome::Failed;
                continue;
            }
            Err(error) => return Err(error),
        };
        let Copied { totals: Totals { messages, tokens, .. }, new_messages } = copied;
        summary.add(&copied);
        let id = id.as_str();
        if args.encoded.json {
            output.json(&Line { conversation: id, messages, new_messages, tokens })?;
        } else {
            let (shown, noun, tokens) =
                (plain(id), noun(messages, "message"), count(tokens, "token"));
            output.line(format_args!(
                "{messages:>8} {noun} ({new_messages} new), {tokens}  {shown}"
            ))?;
        }
    }
    Ok(outcome)
}

/// Whether the other conversations can still be copied.
fn concerns_this_one(error: &CliError) -> bool {
    match error {
        CliError::NotCopied { source: NotCopied::Memory(error), .. } => {
            concerns_one_conversation(error)
        }
        CliError::CopyDiffers { .. } | CliError::NotCopied { .. } => true,
        _ => false,
    }
}

/// What the target holds afterwards.
struct Copied {
    totals: Totals,
    new_messages: u64,
}

impl Summary {
    fn add(&mut self, copied: &Copied) {
        self.conversations += 1;
        self.messages += copied.totals.messages;
        self.new_messages += copied.new_messages;
        self.tokens += copied.totals.tokens;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { conversations, messages, new_messages, tokens } = *self;
        let conversations = count(conversations, "conversation");
        let (messages, tokens) = (count(messages, "message"), count(tokens, "token"));
        write!(formatter, "{conversations}, {messages} ({new_messages} new), {tokens}")
    }
}

/// Copies one conversation in batches, and compares the sums on both sides.
///
/// Nothing is written before everything that is there was found here, at the same place.
async fn copy_one(
    source: &Conversation,
    target: &Conversation,
    to: &Memory,
    progress: &Progress,
    stop: &Stop,
) -> Result<Copied, CliError> {
    let id = || source.key().id.as_str().to_owned();
    let refused = |reason: NotCopied| CliError::NotCopied { id: id(), source: reason };
    let failed = |error: MemoryError| refused(error.into());
    let (mut here, mut there) = (source.export(), target.export());
    while let Some(known) = there.next().await.transpose().map_err(failed)? {
        if stop.is_asked() {
            return Err(CliError::Interrupted);
        }
        match here.next().await.transpose().map_err(failed)? {
            None => return Err(refused(NotCopied::Longer { seq: known.seq })),
            Some(entry) if entry.message != known.message => {
                return Err(refused(NotCopied::Differs { seq: entry.seq }));
            }
            Some(_) => progress.add(1),
        }
    }
    let (mut batch, mut new_messages) = (Vec::new(), 0);
    loop {
        if stop.is_asked() {
            return Err(CliError::Interrupted);
        }
        let entry = here.next().await.transpose().map_err(failed)?;
        let at_end = entry.is_none();
        if let Some(entry) = entry {
            let id = message_id(entry.seq.get(), to.limits())?;
            batch.push(Entry::new(entry.message).with_id(id));
        }
        if batch.len() >= BATCH.min(to.limits().batch_messages) || at_end {
            let appended = target.append_many(std::mem::take(&mut batch)).await.map_err(failed)?;
            new_messages += appended.iter().filter(|receipt| receipt.new).count() as u64;
            progress.add(appended.len() as u64);
        }
        if at_end {
            break;
        }
    }
    let (here, there) = (stop.or(settle(source)).await?, stop.or(settle(target)).await?);
    if (here.messages, here.tokens) != (there.messages, there.tokens) {
        let sums = |totals: Totals| {
            format!("{} with {}", count(totals.messages, "message"), count(totals.tokens, "token"))
        };
        let detail = format!("{} here, {} there", sums(here), sums(there));
        return Err(CliError::CopyDiffers { id: id(), detail });
    }
    Ok(Copied { totals: there, new_messages })
}

/// Messages that are written together: few enough to be held in memory, however large they are.
const BATCH: usize = 64;
