//! `clear`: removing a conversation.

use std::io::{self, BufRead, IsTerminal, Write};

use serde::Serialize;
use turnledger::Memory;

use super::named::conversation;
use crate::args::ClearArgs;
use crate::error::{CliError, Outcome, note};
use crate::input::on_thread;
use crate::output::{Output, plain};

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
) -> Result<Outcome, CliError> {
    let conversation = conversation(memory, &args.conversation)?;
    if !args.yes {
        let messages = conversation.len().await?;
        if !confirmed(&args.conversation, messages).await? {
            note("nothing was removed");
            return Ok(Outcome::Failed);
        }
    }
    let removed = conversation.clear().await?.removed;
    let conversation = args.conversation.as_str();
    if args.encoded.json {
        output.json(&Done { conversation, removed })?;
    } else {
        output.line(format_args!("{}: {removed} messages removed", plain(conversation)))?;
    }
    Ok(Outcome::Done)
}

/// Asks on the terminal. Where there is none, nobody can answer.
async fn confirmed(id: &str, messages: u64) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        let reason = "standard input is no terminal to ask on; confirm with --yes".to_owned();
        return Err(CliError::Usage { reason });
    }
    let _ = write!(io::stderr().lock(), "Remove all {messages} messages of {}? [y/N] ", plain(id));
    let answer = on_thread(|| {
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let answer = answer.await?.map_err(|source| CliError::StandardInput { source })?;
    Ok(is_yes(&answer))
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
