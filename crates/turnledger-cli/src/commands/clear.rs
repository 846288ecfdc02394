//! `clear`: removing a conversation.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;
use turnledger::{Conversation, LedgerTotals, Memory, MemoryError, StoreError};

use super::named::conversation;
use crate::args::ClearArgs;
use crate::error::{CliError, Outcome, note};
use crate::input::on_thread;
use crate::output::{Output, count, plain};
use crate::stop::Stop;

#[derive(Serialize)]
struct Done<'a> {
    conversation: &'a str,
    removed: u64,
}

/// Removes all messages, once that was confirmed.
pub(crate) async fn clear(
    args: ClearArgs,
    memory: &Memory,
    output: &mut Output,
    stop: &Stop,
) -> Result<Outcome, CliError> {
    let conversation = conversation(memory, &args.conversation)?;
    let messages = stop.or(messages(&conversation)).await?;
    if !args.yes && !stop.or(confirmed(&args.conversation, messages)).await.inspect_err(left)? {
        note("nothing was removed");
        return Ok(Outcome::Failed);
    }
    // What was confirmed is done, and not given up halfway.
    let removed = conversation.clear().await?.removed;
    let conversation = args.conversation.as_str();
    if args.encoded.json {
        output.json(&Done { conversation, removed })?;
    } else {
        let removed = count(removed, "message");
        output.line(format_args!("{}: {removed} removed", plain(conversation)))?;
    }
    Ok(Outcome::Done)
}

/// How many messages there are; none where that cannot be known.
async fn messages(conversation: &Conversation) -> Result<Option<u64>, CliError> {
    match conversation.ledger().await {
        Ok(LedgerTotals { epoch: None, .. }) => {
            Err(CliError::NoConversation { key: conversation.key().clone() })
        }
        Ok(ledger) => Ok(Some(ledger.messages)),
        // To remove it is a way out of that.
        Err(MemoryError::Store(StoreError::DamagedConversation { .. })) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Asks on the terminal. Where there is none, nobody can answer.
async fn confirmed(id: &str, messages: Option<u64>) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        let reason = "standard input is no terminal to ask on; confirm with --yes".to_owned();
        return Err(CliError::Usage { reason });
    }
    let what = match messages {
        Some(1) => "the one message".to_owned(),
        Some(messages) => format!("all {messages} messages"),
        None => "everything".to_owned(),
    };
    let _ = write!(io::stderr().lock(), "Remove {what} of {}? [y/N] ", plain(id));
    let answer = on_thread(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer.await?.map_err(|source| CliError::StandardInput { source })?;
    Ok(is_yes(&answer))
}

/// Where the question was left unanswered, says below it what came of it.
fn left(error: &CliError) {
    if matches!(error, CliError::Interrupted) {
        let _ = writeln!(io::stderr().lock());
        note("nothing was removed");
    }
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_confirms() {
        let check =
            |answer: &str, expected: bool| assert_eq!(is_yes(answer), expected, "{answer:?}");
        check("y\n", true);
        check(" Yes\r\n", true);
        check("\n", false);
        check("", false);
        check("n\n", false);
        check("yesterday\n", false);
    }
}
