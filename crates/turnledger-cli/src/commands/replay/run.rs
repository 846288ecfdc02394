//! The course of a replay: append, wait until everything is counted, tell.

use std::time::Instant;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use turnledger::{Memory, MemoryError};

use super::append::{Appended, Replayed, append_all};
use super::report::{Report, Summary};
use crate::args::ReplayArgs;
use crate::commands::settle::{settle, settle_queue};
use crate::error::{CliError, Outcome, tell};
use crate::input;
use crate::output::Output;
use crate::progress::Progress;
use crate::session::Session;
use crate::stop::Stop;

/// Conversations that are settled at the same time.
const AT_ONCE: usize = 16;

/// Replays files, and tells what their conversations take.
///
/// Where the run ends before the input does, what was done until then is told all the same.
pub(crate) async fn replay(
    args: ReplayArgs,
    session: &Session,
    output: &mut Output,
    stop: &Stop,
) -> Result<Outcome, CliError> {
    let memory = &session.memory;
    let mut input = input::stream(args.files.clone(), args.format, *memory.limits())?;
    let progress = Progress::begin("appending");
    let appended = append_all(memory, &mut input, args.keep_going, &progress, stop).await;
    let Appended { mut whole, mut partly, time, mut failed, mut ended } = appended;
    progress.turn_to("counting");
    let start = Instant::now();
    if ended.is_none() {
        let all = whole.iter_mut().chain(&mut partly);
        ended = stop.or(settle_all(memory, all)).await.err();
    }
    if matches!(ended, Some(CliError::Interrupted)) {
        // The end would wait for what is queued anyway; so the sums are those of the end.
        memory.settled(session.shutdown_deadline).await;
        look_again(memory, whole.iter_mut().chain(&mut partly)).await;
    }
    let to_exact = start.elapsed();
    drop(progress);

    let mut summary = Summary::new(time, to_exact);
    let mut report = Report::begin(&args, memory, output)?;
    for replayed in &whole {
        summary.add(replayed);
        report.conversation(replayed).await?;
    }
    // They have no line of their own, but what they hold and what was added to them is told.
    for replayed in &partly {
        summary.add_messages(replayed);
    }
    report.summary(&summary)?;
    if let Some(error) = ended.or_else(|| report.unread().map(CliError::from)) {
        return Err(error);
    }
    if summary.pending > 0 {
        let all = whole.iter().chain(&partly);
        let conversations = all.filter(|replayed| replayed.totals.pending > 0).count() as u64;
        tell(&CliError::StillPending { messages: summary.pending, conversations });
        failed = true;
    }
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}

/// Waits for the queue, and settles what it had no place for, and what only another counter has counted.
async fn settle_all(
    memory: &Memory,
    all: impl Iterator<Item = &mut Replayed>,
) -> Result<(), MemoryError> {
    settle_queue(memory).await;
    stream::iter(all)
        .map(async |replayed| {
            replayed.totals = settle(&memory.conversation(replayed.id.clone())).await?;
            Ok(())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Reads the sums once more; where the store refuses that, those that were seen last stay.
async fn look_again(memory: &Memory, all: impl Iterator<Item = &mut Replayed>) {
    for replayed in all {
        match memory.conversation(replayed.id.clone()).ledger().await {
            Ok(ledger) => replayed.totals = ledger.under(memory.tally_id()),
            Err(_) => return,
        }
    }
}
