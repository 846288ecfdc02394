//! `sweep`: counting what an earlier process left uncounted.

use serde::Serialize;
use turnledger::{Backlog, Memory, MemoryError, MemoryStore, PendingConversation};

use super::settle::settle;
use crate::args::SweepArgs;
use crate::error::{CliError, Outcome};
use crate::output::{Output, count};

/// Conversations that are listed together.
const PAGE: usize = 256;

#[derive(Serialize)]
struct Done {
    /// Messages that this run has counted, in every namespace.
    settled: u64,
    /// Messages of the namespace that could not be counted now.
    left: u64,
    /// Messages of the namespace that wait for the counter of their conversation, another one
    /// than this run's.
    other_counters: u64,
    /// Messages of the namespace that this run's counter has not counted, and that do not wait
    /// for it, since their conversation is counted by another one.
    counted_otherwise: u64,
}

/// Settles what is pending, in every namespace.
///
/// The memory itself begins a sweep when it is opened, which this one waits for. In the namespace,
/// what another process left under a lease is settled here, too.
///
/// A conversation under another counter is left to that counter: to settle it here would change
/// under which one it is counted from then on.
pub(crate) async fn sweep(
    args: SweepArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    memory.sweep().await?;
    let (mut left, mut other_counters) = (0, 0);
    for found in pending(memory).await? {
        let conversation = memory.conversation(found.key.id);
        if conversation.ledger().await?.current.as_ref() == Some(&memory.tally_id()) {
            left += settle(&conversation).await?.pending;
        } else {
            other_counters += found.pending;
        }
    }
    let counted_otherwise = counted_otherwise(memory).await?;
    // The sweep that the memory began by itself has its share in it.
    let settled = memory.settled_so_far();
    if args.encoded.json {
        output.json(&Done { settled, left, other_counters, counted_otherwise })?;
    } else {
        let settled = count(settled, "message");
        output.line(format_args!("{settled} settled, {left} left"))?;
        if other_counters > 0 {
            output.line(format_args!(
                "{} to be counted by another counter; name it with --encoding",
                count(other_counters, "message")
            ))?;
        }
        if counted_otherwise > 0 {
            output.line(format_args!(
                "{} not counted by {}, since other counters are their conversations' own; \
                 `replay` and `append` make it their own",
                count(counted_otherwise, "message"),
                memory.tally_id()
            ))?;
        }
    }
    Ok(if left == 0 { Outcome::Done } else { Outcome::Failed })
}

async fn pending(memory: &Memory) -> Result<Vec<PendingConversation>, MemoryError> {
    Ok(memory.store().pending(memory.namespace(), Backlog::Pending, usize::MAX).await?)
}

/// The messages that lack a count of this run's counter in conversations of other counters.
///
/// The store's index of pendings knows each conversation under its own counter only.
async fn counted_otherwise(memory: &Memory) -> Result<u64, MemoryError> {
    let (mut messages, mut after) = (0, None);
    loop {
        let page = memory.list(after, PAGE).await?;
        for summary in page.conversations {
            if summary.counter != memory.tally_id() {
                let ledger = memory.conversation(summary.id).ledger().await?;
                messages += ledger.under(&memory.tally_id()).pending;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(messages);
        }
    }
}
