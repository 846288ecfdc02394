//! Settling what the pool has counted: in batches, one for each conversation at a time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use memory_core::{
    ConversationKey, CountError, Epoch, FinalReason, Message, Settle, Settlement, Tally,
};
use metrics::counter;
use tokens::{AsyncTokenCounter, Counted, Job, Place};
use tokio::sync::mpsc;

use super::count::{ATTEMPTS, last_resort};
use super::unsettled::{Unsettled, UnsettledGuard};
use crate::generation::Generation;
use crate::metrics::names;
use crate::shared::Shared;

/// Most results that are settled together.
const BATCH: usize = 256;

/// A stored tally that is to be replaced, and how often its counting was begun.
#[derive(Debug)]
pub(crate) struct Counting {
    pub(crate) key: ConversationKey,
    pub(crate) epoch: Epoch,
    pub(crate) message: Message,
    /// The settlement with the tally that is stored in both places.
    pub(crate) settlement: Settlement,
    pub(crate) attempt: u32,
    guard: UnsettledGuard,
}

/// Where counted messages go to be settled.
#[derive(Debug, Clone)]
pub(crate) struct Settlements(mpsc::Sender<Outcome>);

/// What settles the counts of one pool.
///
/// It does not hold the way into its own channel, so that it ends with the last who does: when its
/// counter has been swapped out and every job of the pool has been delivered.
#[derive(Debug)]
pub(crate) struct Settler {
    shared: Arc<Shared>,
    pool: AsyncTokenCounter,
    settlements: mpsc::WeakSender<Outcome>,
}

/// A message whose counting has ended, one way or the other.
#[derive(Debug)]
pub(crate) struct Outcome {
    counting: Counting,
    /// Holds the message's place in the queue until it is settled.
    counted: Counted,
}

/// A channel for as many results as the queue has places.
pub(crate) fn settlements(capacity: usize) -> (Settlements, mpsc::Receiver<Outcome>) {
    let (sender, receiver) = mpsc::channel(capacity);
    (Settlements(sender), receiver)
}

impl Counting {
    pub(crate) fn begin(
        unsettled: &Arc<Unsettled>,
        key: ConversationKey,
        epoch: Epoch,
        message: Message,
        settlement: Settlement,
    ) -> Self {
        Self { key, epoch, message, settlement, attempt: 1, guard: unsettled.enter() }
    }

    /// Hands the message to the pool; no await, and nothing that can fail.
    pub(crate) fn submit(self, place: Place, settlements: &Settlements, keyed_hash: u64) {
        let settlements = settlements.clone();
        let deliver = {
            let counting = self;
            let message = counting.message.clone();
            Job::message(message, move |counted| settlements.send(counting, counted))
        };
        place.submit(deliver.conversation(keyed_hash));
    }
}

impl Settlements {
    /// Never blocks: every result holds a place in the queue, and there are as many of these here.
    fn send(&self, counting: Counting, counted: Counted) {
        // This fails where the memory is gone, and drops the guard. The store knows what is pending.
        let _ = self.0.try_send(Outcome { counting, counted });
    }
}

impl Settler {
    pub(crate) fn new(shared: Arc<Shared>, generation: &Generation) -> Self {
        let settlements = generation.settlements.0.downgrade();
        Self { shared, pool: generation.pool.clone(), settlements }
    }

    /// Settles what comes in until nothing more can.
    pub(crate) async fn settle_all(self, mut outcomes: mpsc::Receiver<Outcome>) {
        let mut batch = Vec::with_capacity(BATCH);
        while outcomes.recv_many(&mut batch, BATCH).await > 0 {
            let mut conversations: HashMap<(ConversationKey, Epoch), Batch> = HashMap::new();
            for outcome in batch.drain(..) {
                let Outcome { counting, counted } = outcome;
                let Some(tally) = decide(&self.pool, &counting, &counted.result) else {
                    self.retry(counting, counted);
                    continue;
                };
                let settlement = Settlement { tally, ..counting.settlement };
                let conversation = conversations.entry((counting.key, counting.epoch)).or_default();
                conversation.settlements.push(settlement);
                conversation.holds.push((counted, counting.guard));
            }
            let settling = conversations.into_iter().map(|(of, batch)| self.settle(of, batch));
            join_all(settling).await;
        }
    }

    /// Counts once more, or leaves the message to the sweep.
    fn retry(&self, mut counting: Counting, counted: Counted) {
        let retryable = counted.result.as_ref().is_err_and(CountError::is_retryable);
        // The place must be free before another one is taken: this may have been the last.
        drop(counted);
        match (self.pool.reserve(), self.settlements.upgrade()) {
            (Ok(place), Some(settlements)) if retryable => {
                counting.attempt += 1;
                let keyed_hash = self.shared.keyed_hash(&counting.key);
                counting.submit(place, &Settlements(settlements), keyed_hash);
            }
            // Dropping the guard leaves the message to the sweep.
            _ => drop(counting),
        }
    }

    async fn settle(&self, (key, epoch): (ConversationKey, Epoch), batch: Batch) {
        let shared = &self.shared;
        let counter = self.pool.tally_id().clone();
        let settle = Settle { counter, epoch, settlements: batch.settlements };
        match shared.deadline().write("settle", shared.store.settle(&key, settle)).await {
            Ok(settled) => {
                shared.settled.fetch_add(settled.applied, Ordering::Relaxed);
                counter!(names::SETTLED).increment(settled.applied);
                for (counted, guard) in batch.holds {
                    // Whoever waits for the guard finds the place free.
                    drop(counted);
                    guard.settled();
                }
            }
            Err(error) => {
                // In each pair the place is dropped before the guard.
                drop(batch.holds);
                shared.log_failure("settle", shared.keyed_hash(&key), &error);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Batch {
    settlements: Vec<Settlement>,
    /// Places in the queue and in the count of what is unsettled, until the store has answered.
    holds: Vec<(Counted, UnsettledGuard)>,
}

/// The tally to store; none where the counting shall be tried again.
fn decide(
    pool: &AsyncTokenCounter,
    counting: &Counting,
    result: &Result<Tally, CountError>,
) -> Option<Tally> {
    match result {
        Ok(tally) => Some(*tally),
        Err(error) if error.is_retryable() && counting.attempt >= ATTEMPTS => {
            counter!(names::GIVEN_UP).increment(1);
            let tokens = last_resort(pool, &counting.message);
            Some(Tally::final_because(tokens, FinalReason::Failed))
        }
        Err(_) => None,
    }
}
