//! `append`: messages to one conversation.

use serde::Serialize;
use turnledger::{
    Conversation, Entry, Memory, MemoryError, Message, MessageId, Receipt, Role, Tally, Totals,
};

use super::named::{conversation, is_conflict};
use super::settle::{settle, settle_queue};
use crate::args::AppendArgs;
use crate::error::{CliError, Outcome, tell};
use crate::input::messages_of_standard_input;
use crate::output::{Output, count};

/// What became of one message.
#[derive(Serialize)]
struct Line<'a> {
    conversation: &'a str,
    seq: u64,
    new: bool,
    epoch: String,
    tokens: Option<u64>,
    state: Option<&'static str>,
    totals: Sums,
}

/// The conversation's sums once everything is counted.
#[derive(Clone, Copy, Serialize)]
struct Sums {
    messages: u64,
    tokens: u64,
    pending: u64,
}

/// Appends, settles, and prints receipts.
pub(crate) async fn append(
    args: AppendArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let conversation = conversation(memory, &args.conversation)?;
    let receipts = append_batches(memory, &conversation, entries(&args, memory).await?).await?;
    settle_queue(memory).await;
    let totals = settle(&conversation).await?;
    for receipt in receipts {
        let tally = match receipt.tally {
            Some(tally) if !tally.is_pending() => Some(tally),
            _ => tally_now(&conversation, &receipt).await?,
        };
        print(&args, &receipt, tally, totals, output)?;
    }
    if totals.pending > 0 {
        let (messages, advice) = (totals.pending, "`turnledger sweep` tries again");
        tell(&CliError::StillPending { messages, conversations: 1, advice });
        return Ok(Outcome::Failed);
    }
    Ok(Outcome::Done)
}

/// The messages to append, all of them valid.
async fn entries(args: &AppendArgs, memory: &Memory) -> Result<Vec<Entry>, CliError> {
    let limits = memory.limits();
    let messages = match (&args.role, &args.content) {
        (Some(role), Some(content)) => vec![message(role, content, memory)?],
        _ => messages_of_standard_input(*limits).await?,
    };
    let Some(id) = &args.id else {
        return Ok(messages.into_iter().map(Entry::new).collect());
    };
    let id =
        MessageId::within(id, limits).map_err(|source| CliError::Id { what: "--id", source })?;
    if messages.len() > 1 {
        let reason = format!("--id names one message, and there are {}", messages.len());
        return Err(CliError::Usage { reason });
    }
    Ok(messages.into_iter().map(|message| Entry::new(message).with_id(id.clone())).collect())
}

fn message(role: &str, content: &str, memory: &Memory) -> Result<Message, CliError> {
    let role = Role::parse(role)
        .ok_or_else(|| CliError::Usage { reason: format!("unknown role `{role}`") })?;
    Message::builder(role)
        .text(content)
        .build(memory.limits())
        .map_err(|error| CliError::BadContent { source: Box::new(error) })
}

/// Appends in batches as large as they may be; each is stored wholly or not at all.
async fn append_batches(
    memory: &Memory,
    conversation: &Conversation,
    entries: Vec<Entry>,
) -> Result<Vec<Receipt>, CliError> {
    let mut receipts = Vec::with_capacity(entries.len());
    for batch in entries.chunks(memory.limits().batch_messages) {
        let appended = conversation.append_many(batch.iter().cloned()).await;
        receipts.extend(appended.map_err(|source| {
            if is_conflict(&source) { CliError::KnownId { source } } else { source.into() }
        })?);
    }
    Ok(receipts)
}

/// The tally of a message that was not counted yet when it was appended.
async fn tally_now(
    conversation: &Conversation,
    receipt: &Receipt,
) -> Result<Option<Tally>, MemoryError> {
    let page = conversation.page(receipt.seq.previous(), 1).await?;
    let entry = page.entries.into_iter().find(|entry| entry.seq == receipt.seq);
    Ok(entry.and_then(|entry| entry.tally))
}

fn print(
    args: &AppendArgs,
    receipt: &Receipt,
    tally: Option<Tally>,
    totals: Totals,
    output: &mut Output,
) -> Result<(), CliError> {
    let Totals { messages, tokens, pending, .. } = totals;
    let seq = receipt.seq.get();
    if args.encoded.json {
        return output.json(&Line {
            conversation: &args.conversation,
            seq,
            new: receipt.new,
            epoch: receipt.epoch.to_string(),
            tokens: tally.map(|tally| tally.tokens),
            state: tally.map(|tally| tally.state.as_str()),
            totals: Sums { messages, tokens, pending },
        });
    }
    let known = if receipt.new { "" } else { ", known already" };
    let counted = match tally {
        Some(tally) => format!("{} ({})", count(tally.tokens, "token"), tally.state),
        None => "not counted".to_owned(),
    };
    let (messages, tokens) = (count(messages, "message"), count(tokens, "token"));
    output.line(format_args!(
        "#{seq}{known}: {counted}; conversation: {messages}, {tokens}, {pending} pending"
    ))
}
