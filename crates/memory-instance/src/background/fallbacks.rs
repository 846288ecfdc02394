//! Counting anew what a fallback has counted, once the counter itself answers again.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use memory_core::{
    Backlog, Claimed, ClaimedConversation, Fingerprint, Message, Settlement, StoredMessage, Tally,
};
use metrics::counter;

use super::sweep::{Scope, SweepReport, claim, claim_now, claim_rest, patience, settle_now};
use crate::error::MemoryError;
use crate::generation::Generation;
use crate::metrics::names;
use crate::shared::Shared;

/// Most messages that are claimed together.
const CLAIM: usize = 256;
/// Most messages that wait for the pool together.
const AT_ONCE: usize = 32;
/// By how much the next claim is larger, as long as everything is counted.
const FASTER: usize = 4;
/// Claims in a row, of one message each, after which the counter is taken for down.
const MISSES: u32 = 3;

/// How many messages are claimed next.
///
/// It begins with one, because nobody knows whether the service is well before it has answered,
/// and goes back to one when something was not counted. A single message that the service always
/// refuses does not hold up the others: only several in a row end it.
#[derive(Debug)]
struct Pace {
    limit: usize,
    misses: u32,
}

impl Pace {
    const fn new() -> Self {
        Self { limit: 1, misses: 0 }
    }

    fn note(&mut self, counted: usize, not_counted: usize) {
        if not_counted == 0 {
            *self = Self { limit: (self.limit * FASTER).min(CLAIM), misses: 0 };
        } else {
            let misses = if counted == 0 { self.misses + 1 } else { 1 };
            *self = Self { limit: 1, misses };
        }
    }

    const fn is_over(&self) -> bool {
        self.misses >= MISSES
    }
}

/// Messages that the counter did not count at the end of the last attempt.
///
/// The next attempt begins with others: so a text that a service always refuses is not the only one
/// that is ever tried.
#[derive(Debug, Default)]
pub(crate) struct Missed(VecDeque<Fingerprint>);

impl Missed {
    /// Enough for a service that is down for half an hour, tried twice a minute.
    const MOST: usize = 64;

    fn note(&mut self, fingerprint: Fingerprint) {
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back(fingerprint);
    }
}

/// Counts anew what a fallback has counted, until there is nothing left or the counter itself does
/// not answer.
pub(crate) async fn recount(
    shared: &Shared,
    scope: &Scope,
    missed: &mut Missed,
) -> Result<SweepReport, MemoryError> {
    let mut report = SweepReport::default();
    let (generation, mut pace) = (shared.generation(), Pace::new());
    loop {
        shared.check_open()?;
        if !goes_on(shared, &generation, &pace) {
            return Ok(report);
        }
        let claim = claim(shared, &generation, Backlog::Fallback, scope, pace.limit);
        let Claimed { conversations, more } = claim_now(shared, claim).await?;
        for conversation in conversations {
            if !goes_on(shared, &generation, &pace) {
                return Ok(report);
            }
            let key = conversation.key.clone();
            let mut progress = Progress { pace: &mut pace, missed, report: &mut report };
            let recounted = progress.recount(shared, &generation, conversation);
            if let Err(error) = recounted.await {
                // One conversation that fails does not keep the others from being settled.
                shared.log_failure("recount", shared.keyed_hash(&key), &error);
            }
        }
        if !goes_on(shared, &generation, &pace) {
            return Ok(report);
        }
        if !more || matches!(scope, Scope::One(_)) {
            // The others were all tried; now those that were missed have their turn again.
            missed.0.clear();
            return Ok(report);
        }
    }
}

/// Whether more can be counted now. What was swapped out must not claim by name any more.
fn goes_on(shared: &Shared, generation: &Arc<Generation>, pace: &Pace) -> bool {
    !pace.is_over() && generation.is_answering() && shared.is_current(generation)
}

/// How far an attempt has come.
struct Progress<'a> {
    pace: &'a mut Pace,
    missed: &'a mut Missed,
    report: &'a mut SweepReport,
}

impl Progress<'_> {
    /// Counts one claimed conversation anew, and claims the rest of it bit by bit.
    async fn recount(
        &mut self,
        shared: &Shared,
        generation: &Arc<Generation>,
        mut conversation: ClaimedConversation,
    ) -> Result<(), MemoryError> {
        loop {
            let ClaimedConversation { key, epoch, mut messages, more } = conversation;
            let last = messages.last().map(|message| message.seq);
            messages.retain(|message| !self.missed.0.contains(&message.fingerprint));
            let counted = self.count(shared, generation, messages).await;
            let applied = settle_now(shared, generation, &key, epoch, counted).await?;
            self.report.settled += applied;
            self.report.recounted += applied;
            counter!(names::RECOUNTED).increment(applied);
            let (true, Some(last)) = (more, last) else { return Ok(()) };
            if !goes_on(shared, generation, self.pace) {
                return Ok(());
            }
            let scope = Scope::One(key.clone());
            let next = claim(shared, generation, Backlog::Fallback, &scope, self.pace.limit);
            match claim_rest(shared, &next, key, last).await? {
                Some(next) => conversation = next,
                None => return Ok(()),
            }
        }
    }

    async fn count(
        &mut self,
        shared: &Shared,
        generation: &Generation,
        messages: Vec<StoredMessage>,
    ) -> Vec<Settlement> {
        if messages.is_empty() {
            return Vec::new();
        }
        let counting = messages.into_iter().map(async |stored| {
            // It may have stopped answering since the messages were claimed.
            let tried = generation.is_answering().then_some(stored.fingerprint);
            match tried {
                Some(_) => count(shared, generation, stored).await.ok_or(tried),
                None => Err(tried),
            }
        });
        let all: Vec<_> = stream::iter(counting).buffered(AT_ONCE).collect().await;
        let (mut counted, mut missed) = (Vec::with_capacity(all.len()), 0);
        for one in all {
            match one {
                Ok(settlement) => counted.push(settlement),
                Err(tried) => {
                    missed += 1;
                    if let Some(fingerprint) = tried {
                        self.missed.note(fingerprint);
                    }
                }
            }
        }
        self.pace.note(counted.len(), missed);
        self.report.left += missed as u64;
        counted
    }
}

/// Counts a message once; none where that is not the counter's own count.
async fn count(
    shared: &Shared,
    generation: &Generation,
    stored: StoredMessage,
) -> Option<Settlement> {
    let StoredMessage { seq, fingerprint, tally: expected, payload, .. } = stored;
    let message = Message::from_payload(payload).ok()?;
    let counted = generation.pool.tally(&message, patience(shared)).await.ok();
    let tally = counted.filter(|tally: &Tally| !tally.is_fallback())?;
    Some(Settlement { seq, fingerprint, expected, tally })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_grows_while_all_is_counted_and_ends_with_several_misses() {
        let mut pace = Pace::new();
        let mut check = |counted, missed, expected| {
            pace.note(counted, missed);
            assert_eq!((pace.limit, pace.is_over()), expected, "{counted} {missed}");
        };
        check(1, 0, (4, false));
        check(4, 0, (16, false));
        check(15, 1, (1, false));
        check(0, 1, (1, false));
        check(1, 0, (4, false));
        check(0, 4, (1, false));
        check(0, 1, (1, false));
        check(0, 1, (1, true));
        for _ in 0..5 {
            pace.note(1, 0);
        }
        assert_eq!((pace.limit, pace.is_over()), (CLAIM, false));
    }
}
