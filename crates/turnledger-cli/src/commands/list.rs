//! `list`: the conversations of the namespace.

use serde::Serialize;
use turnledger::{ConversationSummary, Memory};

use crate::args::ListArgs;
use crate::error::{CliError, Outcome};
use crate::output::{Output, noun, plain};

/// Conversations that are read together.
const PAGE: usize = 256;

#[derive(Serialize)]
struct Line<'a> {
    conversation: &'a str,
    messages: u64,
    counter: &'a str,
}

/// Prints one line for each conversation.
pub(crate) async fn list(
    args: ListArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let mut after = None;
    while !output.is_closed() {
        let page = memory.list(after, PAGE).await?;
        for ConversationSummary { id, messages, counter, .. } in &page.conversations {
            let (conversation, counter) = (id.as_str(), counter.as_str());
            if args.encoded.json {
                output.json(&Line { conversation, messages: *messages, counter })?;
            } else {
                let (shown, noun) = (plain(conversation), noun(*messages, "message"));
                output.line(format_args!("{messages:>8} {noun:<8}  {counter}  {shown}"))?;
            }
        }
        if page.next.is_none() {
            break;
        }
        after = page.next;
    }
    Ok(Outcome::Done)
}
