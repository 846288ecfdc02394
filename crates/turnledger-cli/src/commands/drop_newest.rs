//! `drop-newest`: for a retry, or for an answer that is made anew.

use serde::Serialize;
use turnledger::Memory;

use super::named::existing;
use crate::args::DropNewestArgs;
use crate::error::{CliError, Outcome};
use crate::output::{Output, count, plain};

#[derive(Serialize)]
struct Done<'a> {
    conversation: &'a str,
    dropped: u64,
    messages: u64,
    next_seq: u64,
}

/// Drops messages, and says how many.
pub(crate) async fn drop_newest(
    args: DropNewestArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let (conversation, _) = existing(memory, &args.conversation).await?;
    let dropped = conversation.drop_newest(args.count).await?;
    let messages = conversation.len().await?;
    let (conversation, next_seq) = (args.conversation.as_str(), dropped.next_seq.get());
    let dropped = dropped.removed;
    if args.encoded.json {
        output.json(&Done { conversation, dropped, messages, next_seq })?;
    } else {
        let id = plain(conversation);
        let dropped = count(dropped, "message");
        output.line(format_args!("{id}: {dropped} dropped, {messages} left"))?;
    }
    Ok(Outcome::Done)
}
