//! The course of a replay: append, wait until everything is counted, tell.

use std::time::Instant;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use turnledger::{Memory, MemoryError, Totals};

use super::append::{Appended, Replayed, append_all};
use super::report::{Report, Summary};
use crate::args::ReplayArgs;
use crate::commands::settle::{settle, settle_queue};
use crate::error::{CliError, Outcome, tell};
use crate::input;
use crate::output::Output;
use crate::progress::Progress;
use crate::stop::Stop;

/// Conversations that are settled at the same time.
const AT_ONCE: usize = 16;

/// Replays files, and tells what their conversations take.
pub(crate) async fn replay(
    args: ReplayArgs,
    memory: &Memory,
    output: &mut Output,
    stop: &Stop,
) -> Result<Outcome, CliError> {
    let mut input = input::stream(args.files.clone(), args.format, *memory.limits())?;
    let progress = Progress::begin("appending");
    let appended = append_all(memory, &mut input, args.keep_going, &progress, stop).await?;
    progress.turn_to("counting");
    let start = Instant::now();
    let Appended { conversations, contradicted, time, mut failed } = appended;
    let settled = stop.or(settle_all(memory, conversations)).await?;
    let partly = stop.or(settle_all(memory, contradicted)).await?;
    let to_exact = start.elapsed();
    drop(progress);

    let mut summary = Summary::new(time, to_exact);
    let mut report = Report::begin(&args, memory, output)?;
    for (replayed, totals) in &settled {
        summary.add(replayed, totals);
        stop.or(report.conversation(replayed, totals)).await?;
    }
    // They have no line of their own, but what they hold and what was added to them is told.
    for (replayed, totals) in &partly {
        summary.add_messages(replayed, totals);
    }
    report.summary(&summary)?;
    if summary.pending > 0 {
        let conversations = settled.iter().filter(|(_, totals)| totals.pending > 0).count() as u64;
        tell(&CliError::StillPending { messages: summary.pending, conversations });
        failed = true;
    }
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}

/// Waits for the queue, and settles what it had no place for, and what only another counter has counted.
async fn settle_all(
    memory: &Memory,
    conversations: Vec<Replayed>,
) -> Result<Vec<(Replayed, Totals)>, MemoryError> {
    settle_queue(memory).await;
    stream::iter(conversations)
        .map(async |replayed| {
            let totals = settle(&memory.conversation(replayed.id.clone())).await?;
            Ok((replayed, totals))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await
}
