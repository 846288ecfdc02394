//! `sweep`: counting what an earlier process left uncounted.

use serde::Serialize;
use turnledger::{Memory, MemoryError, MemoryStore, PendingConversation};

use super::settle::settle;
use crate::args::SweepArgs;
use crate::error::{CliError, Outcome};
use crate::output::Output;

#[derive(Serialize)]
struct Done {
    /// Messages that were counted.
    settled: u64,
    /// Messages of the namespace that could not be counted now.
    left: u64,
    /// Messages of the namespace that wait for another counter than this run's.
    other_counters: u64,
}

/// Settles what is pending, in every namespace.
///
/// The memory itself begins a sweep when it is opened, and the two share the work. In the
/// namespace, what that one has claimed and not finished is settled here, since it ends with the
/// process.
pub(crate) async fn sweep(
    args: SweepArgs,
    memory: &Memory,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let before = pending(memory).await?.iter().map(|found| found.pending).sum::<u64>();
    let mut settled = memory.sweep().await?.settled;
    let (mut left, mut other_counters) = (0, 0);
    for found in pending(memory).await? {
        let conversation = memory.conversation(found.key.id);
        // Asking this one to settle would make its counter another one.
        if conversation.ledger().await?.current.as_ref() == Some(memory.tally_id()) {
            left += settle(&conversation).await?.pending;
        } else {
            other_counters += found.pending;
        }
    }
    settled = settled.max(before.saturating_sub(left + other_counters));
    if args.encoded.json {
        output.json(&Done { settled, left, other_counters })?;
    } else {
        output.line(format_args!("{settled} messages settled, {left} left"))?;
        if other_counters > 0 {
            output.line(format_args!(
                "{other_counters} messages wait for another counter; name it with --encoding"
            ))?;
        }
    }
    Ok(if left == 0 { Outcome::Done } else { Outcome::Failed })
}

async fn pending(memory: &Memory) -> Result<Vec<PendingConversation>, MemoryError> {
    Ok(memory.store().pending(memory.namespace(), usize::MAX).await?)
}
