//! Appending what is read, message by message.

use std::cell::Cell;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use turnledger::{ConversationId, Entry, Memory, MemoryError, Message, Totals};

use super::course::Course;
use crate::commands::named::{is_conflict, message_id};
use crate::commands::stored::{At, Stored};
use crate::error::{CliError, MessagePlace};
use crate::input::{Conversation, Place, Stream};
use crate::progress::Progress;
use crate::stop::Stop;

/// Conversations that are appended at the same time, so that the store can commit appends of
/// several of them together, as it does for several live agents.
const AT_ONCE: usize = 64;

/// A conversation that was read, and what became of it.
pub(super) struct Replayed {
    /// Its place in the input, from 0.
    pub(super) place: usize,
    pub(super) id: ConversationId,
    /// Messages that this run appended; the others were there already.
    pub(super) new_messages: u64,
    /// Its sums, as they were last seen.
    pub(super) totals: Totals,
    /// Whether another counter was seen to be its own.
    pub(super) other_counter: bool,
}

/// What was appended.
pub(super) struct Appended {
    /// The conversations that are stored to their ends, in the order of the input.
    pub(super) whole: Vec<Replayed>,
    /// Those of which at most the beginning is.
    pub(super) partly: Vec<Replayed>,
    /// From the first append to the last answer.
    pub(super) time: Duration,
    /// Whether something of the input was not appended; that was told.
    pub(super) failed: bool,
    /// What ended the run before the input did; it was not told yet.
    pub(super) ended: Option<CliError>,
}

/// What all appends of a run share.
struct Run<'a> {
    memory: &'a Memory,
    progress: &'a Progress,
    stop: &'a Stop,
    /// Whether the store has failed, so that what goes on would fail as well.
    halted: Cell<bool>,
    /// When the first append was begun, and when the last one was answered.
    first: Cell<Option<Instant>>,
    last: Cell<Option<Instant>>,
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
) -> Appended {
    let (halted, first, last) = (Cell::new(false), Cell::new(None), Cell::new(None));
    let run = Run { memory, progress, stop, halted, first, last };
    let mut course = Course { reading: true, keep_going, failed: false, ended: None };
    let mut running = FuturesUnordered::new();
    let (mut whole, mut partly) = (Vec::new(), Vec::new());
    let (mut next_place, mut alone) = (0, None);
    loop {
        let free = course.reading && alone.is_none() && running.len() < AT_ONCE;
        tokio::select! {
            () = stop.asked(), if course.reading => course.reading = false,
            read = input.next(), if free => match read {
                None => course.reading = false,
                Some(Err(bad)) => course.passes(&bad.into(), progress),
                Some(Ok(conversation)) => {
                    let place = next_place;
                    next_place += 1;
                    match run.look(place, &conversation).await {
                        Ok((replayed, known)) => {
                            alone = known.then_some(place);
                            running.push(run.append(replayed, conversation, known));
                        }
                        Err(error) => run.meets(&mut course, error),
                    }
                }
            },
            Some((replayed, appended)) = running.next(), if !running.is_empty() => {
                if alone == Some(replayed.place) {
                    alone = None;
                }
                match appended {
                    Ok(()) => whole.push(replayed),
                    Err(error) => {
                        partly.push(replayed);
                        run.meets(&mut course, error);
                    }
                }
            }
            else => break,
        }
    }
    let Course { failed, mut ended, .. } = course;
    if stop.is_asked() {
        ended.get_or_insert(CliError::Interrupted);
    }
    whole.sort_unstable_by_key(|replayed| replayed.place);
    let time =
        run.first.get().zip(run.last.get()).map(|(first, last)| last - first).unwrap_or_default();
    Appended { whole, partly, time, failed, ended }
}

impl Run<'_> {
    /// Meets an error of a conversation. After one that concerns the others what is running stops,
    /// or fails for the same reason.
    fn meets(&self, course: &mut Course, error: CliError) {
        if course.meets(error, self.progress) {
            self.halted.set(true);
        }
    }

    /// What the store holds of a conversation, and whether it is anything.
    async fn look(&self, place: usize, read: &Conversation) -> Result<(Replayed, bool), CliError> {
        let id = read.id.clone();
        let ledger = self.memory.conversation(id.clone()).ledger().await;
        let ledger = ledger.map_err(|source| not_stored(&read.place, &id, 1, source))?;
        let counter = self.memory.tally_id();
        let totals = ledger.under(&counter);
        let other_counter = ledger.current.as_ref().is_some_and(|current| *current != counter);
        let replayed = Replayed { place, id, new_messages: 0, totals, other_counter };
        Ok((replayed, ledger.messages > 0))
    }

    /// Appends one conversation; whatever happens, what was done before it is returned.
    async fn append(
        &self,
        mut replayed: Replayed,
        read: Conversation,
        known: bool,
    ) -> (Replayed, Result<(), CliError>) {
        let appended = self.append_messages(&mut replayed, read, known).await;
        (replayed, appended)
    }

    async fn append_messages(
        &self,
        replayed: &mut Replayed,
        read: Conversation,
        known: bool,
    ) -> Result<(), CliError> {
        let conversation = self.memory.conversation(replayed.id.clone());
        let mut stored = known.then(|| Stored::of(&conversation));
        for (number, message) in (1..).zip(read.messages) {
            // An append that was begun is never given up: its count would be left to a sweep.
            if self.stop.is_asked() || self.halted.get() {
                return Err(CliError::Interrupted);
            }
            let failed = |source| not_stored(&read.place, &replayed.id, number, source);
            let free = match &mut stored {
                Some(known) => is_free(known, number, &message).await.map_err(failed)?,
                None => Some(true),
            };
            match free {
                None => {
                    let at = Box::new(message_place(&read.place, &replayed.id, number));
                    return Err(CliError::Conflict { at, source: None });
                }
                Some(false) => {}
                Some(true) => {
                    stored = None;
                    let entry =
                        Entry::new(message).with_id(message_id(number, self.memory.limits())?);
                    if self.first.get().is_none() {
                        self.first.set(Some(Instant::now()));
                    }
                    let appended = conversation.append(entry).await;
                    self.last.set(Some(Instant::now()));
                    let receipt = appended.map_err(failed)?;
                    replayed.other_counter = false;
                    replayed.totals = receipt.totals;
                    replayed.new_messages += u64::from(receipt.new);
                }
            }
            self.progress.add(1);
        }
        Ok(())
    }
}

/// Whether a place is free for this message; none where another message stands there.
///
/// Messages are compared by place and not by id, since whoever appended them may have given other
/// ids, or none.
async fn is_free(
    stored: &mut Stored,
    place: u64,
    message: &Message,
) -> Result<Option<bool>, MemoryError> {
    Ok(match stored.at(place).await? {
        At::Free => Some(true),
        At::Gone => Some(false),
        At::Message(there) => (there == *message).then_some(false),
    })
}

fn not_stored(place: &Place, id: &ConversationId, number: u64, source: MemoryError) -> CliError {
    let at = Box::new(message_place(place, id, number));
    if is_conflict(&source) {
        CliError::Conflict { at, source: Some(source) }
    } else {
        CliError::NotStored { at, source }
    }
}

fn message_place(place: &Place, id: &ConversationId, number: u64) -> MessagePlace {
    let (place, id) = (place.clone(), id.as_str().to_owned());
    MessagePlace { place, id, number }
}
