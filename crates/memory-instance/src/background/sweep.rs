//! Finding what nobody is working on, and settling it.

use std::sync::atomic::Ordering;

use futures_util::StreamExt;
use futures_util::stream;
use memory_core::{
    Backlog, Claim, Claimed, ClaimedConversation, ConversationKey, Message, Seq, Settle,
    Settlement, StoredMessage,
};
use metrics::counter;

use super::count::count_patiently;
use crate::error::MemoryError;
use crate::metrics::names;
use crate::shared::Shared;

/// Most messages that are claimed together.
const CLAIM: usize = 256;
/// Most messages of one conversation that wait for the pool together.
const AT_ONCE: usize = 32;
/// Conversations that are settled side by side.
const CONVERSATIONS_AT_ONCE: usize = 16;

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Tallies that were replaced by counts.
    pub settled: u64,
    /// Claimed messages that could not be counted or settled now.
    pub left: u64,
}

/// What a sweep looks at.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// Every conversation with pendings that nobody is working on.
    All,
    /// This conversation, whoever is working on it.
    One(ConversationKey),
}

/// Claims pendings and settles them until there are none, or none that can be settled now.
pub(crate) async fn sweep(shared: &Shared, scope: Scope) -> Result<SweepReport, MemoryError> {
    let mut report = SweepReport::default();
    let claim = Claim {
        counter: shared.counter().clone(),
        backlog: Backlog::Pending,
        only: match scope {
            Scope::All => None,
            Scope::One(key) => Some(key),
        },
        after: None,
        lease: shared.options.lease,
        limit: CLAIM,
    };
    loop {
        shared.check_open()?;
        let Claimed { conversations, more } = claim_now(shared, claim.clone()).await?;
        let claimed = conversations.len();
        // Side by side, so that the store can commit several settles together.
        let sweeping = conversations.into_iter().map(async |conversation| {
            let (key, messages) = (conversation.key.clone(), conversation.messages.len() as u64);
            let swept = sweep_conversation(shared, &claim, conversation).await;
            swept.unwrap_or_else(|error| {
                // One conversation that fails does not keep the others from being settled.
                shared.log_failure("sweep", shared.keyed_hash(&key), &error);
                SweepReport { settled: 0, left: messages }
            })
        });
        let mut sweeping = stream::iter(sweeping).buffer_unordered(CONVERSATIONS_AT_ONCE);
        while let Some(swept) = sweeping.next().await {
            report.settled += swept.settled;
            report.left += swept.left;
        }
        // What was claimed is leased, so that the next round gets others.
        if !more || claimed == 0 || claim.only.is_some() {
            return Ok(report);
        }
    }
}

async fn claim_now(shared: &Shared, claim: Claim) -> Result<Claimed, MemoryError> {
    let claiming = shared.store.claim_pending(claim);
    Ok(shared.deadline().write("claim", claiming).await?)
}

/// Settles one claimed conversation, and claims the rest of it bit by bit.
async fn sweep_conversation(
    shared: &Shared,
    claim: &Claim,
    mut conversation: ClaimedConversation,
) -> Result<SweepReport, MemoryError> {
    let mut report = SweepReport::default();
    loop {
        let last = conversation.messages.last().map(|message| message.seq);
        let (key, more) = (conversation.key.clone(), conversation.more);
        settle_claimed(shared, conversation, &mut report).await?;
        let (true, Some(last)) = (more, last) else { return Ok(report) };
        let rest = rest_of(claim, key.clone(), last);
        let claimed = claim_now(shared, rest).await?;
        match claimed.conversations.into_iter().next() {
            Some(next) => conversation = next,
            None => return Ok(report),
        }
    }
}

fn rest_of(claim: &Claim, key: ConversationKey, last: Seq) -> Claim {
    Claim { only: Some(key), after: Some(last), ..claim.clone() }
}

async fn settle_claimed(
    shared: &Shared,
    conversation: ClaimedConversation,
    report: &mut SweepReport,
) -> Result<(), MemoryError> {
    let ClaimedConversation { key, epoch, messages, .. } = conversation;
    let claimed = messages.len() as u64;
    let counting = messages.into_iter().map(|stored| count_stored(shared, stored));
    let settlements: Vec<_> = stream::iter(counting)
        .buffered(AT_ONCE)
        .filter_map(async |counted| counted)
        .collect()
        .await;
    let counted = settlements.len() as u64;
    report.left += claimed - counted;
    if settlements.is_empty() {
        return Ok(());
    }
    let settle = Settle { counter: shared.counter().clone(), epoch, settlements };
    let settled = shared.deadline().write("settle", shared.store.settle(&key, settle)).await?;
    report.settled += settled.applied;
    shared.settled.fetch_add(settled.applied, Ordering::Relaxed);
    counter!(names::RECOVERED).increment(settled.applied);
    shared.pool.metrics().recovered(settled.applied);
    Ok(())
}

/// Counts a claimed message; none where that cannot be done now, or where it is no message.
async fn count_stored(shared: &Shared, stored: StoredMessage) -> Option<Settlement> {
    let StoredMessage { seq, fingerprint, tally: expected, payload, .. } = stored;
    let message = Message::from_payload(payload).ok()?;
    // Nobody waits for this count, so it may take as long as the claim holds.
    let deadline = shared.options.count_deadline.max(shared.options.lease);
    let tally = count_patiently(&shared.pool, &message, deadline).await?;
    Some(Settlement { seq, fingerprint, expected, tally })
}
