//! `show`: paging through a conversation.

use serde::Serialize;
use serde_json::value::RawValue;
use turnledger::{ContentPart, LedgerEntry, Memory, Message, Seq};

use super::named::existing;
use crate::args::{GlobalArgs, ShowArgs};
use crate::error::{CliError, Outcome, note};
use crate::output::{Output, content, count, plain, shell_word};

/// One message with its place and tally.
#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    tokens: Option<u64>,
    state: &'static str,
    message: &'a RawValue,
}

/// Prints one page.
pub(crate) async fn show(
    args: ShowArgs,
    global: &GlobalArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let (conversation, ledger) = existing(memory, &args.conversation).await?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    // Behind place 0 is what is behind nothing.
    let page = conversation.page(args.after.and_then(Seq::new), limit).await?;
    for entry in &page.entries {
        if args.encoded.json {
            json_entry(entry, output)?;
        } else {
            human_entry(entry, output)?;
        }
    }
    if let (Some(next), Some(last)) = (page.next, page.entries.last()) {
        let (shown, limit) = (page.entries.len(), args.limit);
        // An id that begins like an option must not be taken for one.
        let dashes = if args.conversation.starts_with('-') { "-- " } else { "" };
        note(&format!(
            "{shown} of {} shown; go on with: turnledger{} show --after {next} --limit {limit} \
             {dashes}{}",
            count(ledger.messages, "message"),
            global.in_shell(),
            shell_word(&args.conversation),
        ));
        debug_assert_eq!(next, last.seq, "a page goes on behind its last message");
    }
    Ok(Outcome::Done)
}

fn json_entry(entry: &LedgerEntry, output: &mut Output) -> Result<(), CliError> {
    let message = serde_json::from_str(entry.message.as_json())
        .map_err(|error| CliError::Output { source: error.into() })?;
    let (tokens, state) = tally(entry);
    output.json(&Line { seq: entry.seq.get(), tokens, state, message })
}

/// Prints a message for people: place, speaker and tokens, then what it says and calls.
pub(super) fn human_entry(entry: &LedgerEntry, output: &mut Output) -> Result<(), CliError> {
    let message = &entry.message;
    let (seq, role) = (entry.seq, message.role());
    let name = message.name().map(|name| format!(" ({})", plain(name))).unwrap_or_default();
    let tokens = match tally(entry) {
        (Some(tokens), state) => format!("{}, {state}", count(tokens, "token")),
        (None, state) => state.to_owned(),
    };
    output.line(format_args!("#{seq} {role}{name} · {tokens}"))?;
    for line in said(message).lines() {
        output.line(format_args!("    {line}"))?;
    }
    for call in message.tool_calls() {
        let (name, arguments) = (call.name().unwrap_or("?"), call.arguments().unwrap_or_default());
        output.line(format_args!("    -> {}({})", plain(name), plain(arguments)))?;
    }
    Ok(())
}

/// What a message says, a part after the other.
fn said(message: &Message) -> String {
    let mut texts: Vec<_> = Vec::new();
    if message.content().parts().is_empty() {
        texts.extend(message.content().texts().map(content));
    }
    for part in message.content().parts() {
        texts.push(match part {
            ContentPart::Text(text) => content(text),
            ContentPart::Media(media) => format!("[{:?}]", media.kind),
        });
    }
    texts.join("\n")
}

/// The tokens, and the word for how they were found.
fn tally(entry: &LedgerEntry) -> (Option<u64>, &'static str) {
    match entry.tally {
        Some(tally) => (Some(tally.tokens), tally.state.as_str()),
        None => (None, "uncounted"),
    }
}
