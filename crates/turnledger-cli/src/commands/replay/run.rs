//! The course of a replay: append, wait until everything is counted, tell.

use std::time::Instant;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::time::timeout;
use turnledger::{Memory, MemoryError, MemoryStore};

use super::append::{Appended, Replayed, append_all};
use super::report::{Report, Summary};
use crate::args::ReplayArgs;
use crate::commands::settle::{settle, settle_queue};
use crate::error::{CliError, Outcome, tell};
use crate::input;
use crate::output::Output;
use crate::progress::Progress;
use crate::session::{Left, Session};
use crate::stop::Stop;

/// Conversations that are settled, or read, at the same time.
const AT_ONCE: usize = 16;

/// What counts what a replay has left, also where another counter is still a conversation's own.
const AGAIN: &str = "the same replay again counts what is left";

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
    let interrupted = matches!(ended, Some(CliError::Interrupted));
    let mut seen = (0, true);
    if interrupted {
        // The end would count what is queued anyway; so the sums are those of the end.
        let settled = session.end_counting().await;
        let looking = look_again(memory, &mut whole, &mut partly);
        let looked = timeout(session.time_left(), looking).await;
        seen = (settled, matches!(looked, Ok(Ok(()))));
    }
    let to_exact = start.elapsed();
    drop(progress);

    let mut summary = Summary::new(time, to_exact);
    let mut report = Report::begin(&args, memory, output, interrupted)?;
    for replayed in &whole {
        summary.add(replayed);
        report.conversation(replayed).await?;
    }
    // They have no line of their own, but what they hold and what was added to them is told.
    for replayed in &partly {
        summary.add_messages(replayed);
    }
    if interrupted {
        let ((settled, is_seen), pending) = (seen, summary.pending);
        session.leave(Left { settled, pending, at_most: !is_seen, advice: AGAIN });
    }
    report.summary(&summary)?;
    if let Some(error) = ended.or_else(|| report.unread().map(CliError::from)) {
        return Err(error);
    }
    if summary.pending > 0 {
        let all = whole.iter().chain(&partly);
        let conversations = all.filter(|replayed| replayed.totals.pending > 0).count() as u64;
        let messages = summary.pending;
        tell(&CliError::StillPending { messages, conversations, advice: AGAIN });
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
            let conversation = memory.conversation(replayed.id.clone());
            if replayed.other_counter && replayed.totals.pending == 0 {
                // With nothing to count, nothing else makes the counter the conversation's own.
                memory.store().set_counter(conversation.key(), &memory.tally_id()).await?;
            }
            replayed.totals = settle(&conversation).await?;
            Ok(())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

/// Reads the sums once more; where the store refuses that, those that were seen last stay.
async fn look_again(
    memory: &Memory,
    whole: &mut [Replayed],
    partly: &mut [Replayed],
) -> Result<(), MemoryError> {
    if let Some(one) = whole.first().or(partly.first()) {
        // A settlement that was begun may still be on its way; this write comes behind it.
        let conversation = memory.conversation(one.id.clone());
        memory.store().set_counter(conversation.key(), &memory.tally_id()).await?;
    }
    stream::iter(whole.iter_mut().chain(partly))
        .map(async |replayed| {
            let ledger = memory.conversation(replayed.id.clone()).ledger().await?;
            replayed.totals = ledger.under(&memory.tally_id());
            Ok(())
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
