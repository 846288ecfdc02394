//! `copy`: conversations into another store.

use serde::Serialize;
use turnledger::{Conversation, Entry, Memory, MemoryError, Totals};

use super::each::Each;
use super::named::message_id;
use super::settle::settle;
use crate::args::CopyArgs;
use crate::error::{CliError, Outcome};
use crate::output::{Output, plain};
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
    let (mut summary, mut failed) = (Summary::default(), false);
    let progress = Progress::begin("copying");
    let mut each = Each::of(from, &args.conversations).await?;
    while let Some(source) = each.next().await? {
        let id = source.key().id.clone();
        let target = to.conversation(id.clone());
        let copied = match copy_one(&source, &target, to, &progress, stop).await {
            Ok(copied) => copied,
            Err(error @ (CliError::NotCopied { .. } | CliError::CopyDiffers { .. })) => {
                progress.tell(&error);
                failed = true;
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
            let shown = plain(id);
            output.line(format_args!(
                "{messages:>8} messages ({new_messages} new), {tokens} tokens  {shown}"
            ))?;
        }
    }
    drop(progress);
    if args.encoded.json {
        output.json(&SummaryLine { summary: &summary })?;
    } else {
        let Summary { conversations, messages, new_messages, tokens } = summary;
        output.line(format_args!(
            "{conversations} conversations, {messages} messages ({new_messages} new), {tokens} tokens"
        ))?;
    }
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
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

/// Copies one conversation in batches, and compares the sums on both sides.
async fn copy_one(
    source: &Conversation,
    target: &Conversation,
    to: &Memory,
    progress: &Progress,
    stop: &Stop,
) -> Result<Copied, CliError> {
    let id = || source.key().id.as_str().to_owned();
    let refused = |error: MemoryError| CliError::NotCopied { id: id(), source: error };
    let (mut export, mut batch, mut new_messages) = (source.export(), Vec::new(), 0);
    loop {
        if stop.is_asked() {
            return Err(CliError::Interrupted);
        }
        let entry = export.next().await.transpose()?;
        let at_end = entry.is_none();
        if let Some(entry) = entry {
            let id = message_id(entry.seq.get(), to.limits())?;
            batch.push(Entry::new(entry.message).with_id(id));
        }
        if batch.len() >= BATCH.min(to.limits().batch_messages) || at_end {
            let appended = target.append_many(std::mem::take(&mut batch)).await.map_err(refused)?;
            new_messages += appended.iter().filter(|receipt| receipt.new).count() as u64;
            progress.add(appended.len() as u64);
        }
        if at_end {
            break;
        }
    }
    let (here, there) = (stop.or(settle(source)).await?, stop.or(settle(target)).await?);
    if (here.messages, here.tokens) != (there.messages, there.tokens) {
        let detail = format!(
            "{} messages with {} tokens here, {} with {} there",
            here.messages, here.tokens, there.messages, there.tokens
        );
        return Err(CliError::CopyDiffers { id: id(), detail });
    }
    Ok(Copied { totals: there, new_messages })
}

/// Messages that are written together: few enough to be held in memory, however large they are.
const BATCH: usize = 64;
