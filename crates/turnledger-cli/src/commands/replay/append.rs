//! Appending what is read, message by message.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use turnledger::{ConversationId, Entry, Memory, Message};

use crate::commands::named::{is_conflict, message_id};
use crate::error::{CliError, MessagePlace};
use crate::input::{Conversation, Place, Stream};
use crate::progress::Progress;
use crate::stop::Stop;

/// Conversations that are appended at the same time, so that the store can commit appends of
/// several of them together, as it does for several live agents.
const AT_ONCE: usize = 64;

/// A conversation that was read.
pub(super) struct Replayed {
    /// Its place in the input, from 0.
    pub(super) place: usize,
    pub(super) id: ConversationId,
    /// Messages that this run appended; the others were there already.
    pub(super) new_messages: u64,
}

/// What was appended.
pub(super) struct Appended {
    /// The conversations in the order of the input.
    pub(super) conversations: Vec<Replayed>,
    /// Those that were appended in part, because the store holds something else at a place.
    pub(super) contradicted: Vec<Replayed>,
    /// From the first append to the last answer.
    pub(super) time: Duration,
    /// Whether something of the input was not appended; that was told.
    pub(super) failed: bool,
}

/// Appends everything that the input holds.
///
/// The messages of one conversation are appended one after the other. A conversation that the
/// store knows already may turn out to contradict it, so nothing behind it is begun before it is
/// through: without `keep_going` a contradiction ends the run at its place.
///
/// Where the run shall stop, what was begun ends between two messages.
pub(super) async fn append_all(
    memory: &Memory,
    input: &mut Stream,
    keep_going: bool,
    progress: &Progress,
    stop: &Stop,
) -> Result<Appended, CliError> {
    let mut running = FuturesUnordered::new();
    let (mut conversations, mut contradicted) = (Vec::new(), Vec::new());
    let (mut failed, mut reading) = (false, true);
    let (mut next_place, mut alone, mut begun, mut ended) = (0, None, None, None);
    loop {
        let free = reading && alone.is_none() && running.len() < AT_ONCE;
        tokio::select! {
            () = stop.asked(), if reading => reading = false,
            read = input.next(), if free => match read {
                None => reading = false,
                Some(Err(bad)) => {
                    progress.tell(&bad.into());
                    failed = true;
                    reading = keep_going;
                }
                Some(Ok(conversation)) => {
                    begun.get_or_insert_with(Instant::now);
                    let place = next_place;
                    next_place += 1;
                    let known = !memory.conversation(conversation.id.clone()).is_empty().await?;
                    alone = known.then_some(place);
                    running.push(async move {
                        (place, append_one(memory, place, conversation, progress, stop).await)
                    });
                }
            },
            Some((place, appended)) = running.next(), if !running.is_empty() => {
                if alone == Some(place) {
                    alone = None;
                }
                ended = Some(Instant::now());
                match appended {
                    Ok(replayed) => conversations.push(replayed),
                    Err((partly, error @ CliError::Conflict { .. })) => {
                        contradicted.push(partly);
                        progress.tell(&error);
                        failed = true;
                        reading &= keep_going;
                    }
                    Err((_, CliError::Interrupted)) => {}
                    // Any other failure is the store's, and would meet what follows as well.
                    Err((_, error)) => return Err(error),
                }
            }
            else => break,
        }
    }
    if stop.is_asked() {
        return Err(CliError::Interrupted);
    }
    conversations.sort_unstable_by_key(|replayed| replayed.place);
    let time = begun.zip(ended).map(|(begun, ended)| ended - begun).unwrap_or_default();
    Ok(Appended { conversations, contradicted, time, failed })
}

/// Appends one conversation; with an error comes what was appended before it.
async fn append_one(
    memory: &Memory,
    place: usize,
    read: Conversation,
    progress: &Progress,
    stop: &Stop,
) -> Result<Replayed, (Replayed, CliError)> {
    let mut replayed = Replayed { place, id: read.id, new_messages: 0 };
    for (number, message) in (1..).zip(read.messages) {
        // An append that was begun is never given up: its count would be left to a sweep.
        if stop.is_asked() {
            return Err((replayed, CliError::Interrupted));
        }
        match append_message(memory, &read.place, &replayed.id, number, message).await {
            Ok(new) => replayed.new_messages += u64::from(new),
            Err(error) => return Err((replayed, error)),
        }
        progress.add(1);
    }
    Ok(replayed)
}

/// Appends one message; false where it was there already.
async fn append_message(
    memory: &Memory,
    place: &Place,
    id: &ConversationId,
    number: u64,
    message: Message,
) -> Result<bool, CliError> {
    let entry = Entry::new(message).with_id(message_id(number, memory.limits())?);
    let appended = memory.conversation(id.clone()).append(entry).await;
    let receipt = appended.map_err(|source| {
        let id = id.as_str().to_owned();
        let at = Box::new(MessagePlace { place: place.clone(), id, number });
        if is_conflict(&source) {
            CliError::Conflict { at, source }
        } else {
            CliError::NotStored { at, source }
        }
    })?;
    Ok(receipt.new)
}
