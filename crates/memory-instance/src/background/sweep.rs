//! Finding what nobody is working on, and settling it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use memory_core::{
    Backlog, Claim, Claimed, ClaimedConversation, ConversationKey, Epoch, Message, Seq, Settle,
    Settlement, StoredMessage,
};
use metrics::counter;

use super::count::count_patiently;
use crate::error::MemoryError;
use crate::generation::Generation;
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
    /// Those of them that a fallback had counted before.
    pub recounted: u64,
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
pub(crate) async fn sweep(shared: &Shared, scope: &Scope) -> Result<SweepReport, MemoryError> {
    let mut report = SweepReport::default();
    while sweep_some(shared, scope, &mut report).await? {}
    Ok(report)
}

/// Claims some pendings and settles them; whether there may be more.
pub(crate) async fn sweep_some(
    shared: &Shared,
    scope: &Scope,
    report: &mut SweepReport,
) -> Result<bool, MemoryError> {
    shared.check_open()?;
    let generation = shared.generation();
    let claim = claim(shared, &generation, Backlog::Pending, scope, CLAIM);
    let Claimed { conversations, more } = claim_now(shared, claim.clone()).await?;
    // Side by side, so that the store can commit several settles together.
    let sweeping = conversations.into_iter().map(async |conversation| {
        let (key, messages) = (conversation.key.clone(), conversation.messages.len() as u64);
        let swept = sweep_conversation(shared, &generation, &claim, conversation).await;
        swept.unwrap_or_else(|error| {
            // One conversation that fails does not keep the others from being settled.
            shared.log_failure("sweep", shared.keyed_hash(&key), &error);
            SweepReport { left: messages, ..SweepReport::default() }
        })
    });
    let mut sweeping = stream::iter(sweeping).buffer_unordered(CONVERSATIONS_AT_ONCE);
    while let Some(swept) = sweeping.next().await {
        report.settled += swept.settled;
        report.left += swept.left;
    }
    // What was claimed is leased, and what was recounted is noted: the next round gets others.
    Ok(more && claim.only.is_none())
}

pub(super) fn claim(
    shared: &Shared,
    generation: &Generation,
    backlog: Backlog,
    scope: &Scope,
    limit: usize,
) -> Claim {
    Claim {
        counter: generation.tally_id().clone(),
        backlog,
        only: match scope {
            Scope::All => None,
            Scope::One(key) => Some(key.clone()),
        },
        after: None,
        lease: shared.options.lease,
        limit,
    }
}

pub(super) async fn claim_now(shared: &Shared, claim: Claim) -> Result<Claimed, MemoryError> {
    let claiming = shared.store.claim_pending(claim);
    Ok(shared.deadline().write("claim", claiming).await?)
}

/// Claims what a conversation has behind a message.
pub(super) async fn claim_rest(
    shared: &Shared,
    claim: &Claim,
    key: ConversationKey,
    last: Seq,
) -> Result<Option<ClaimedConversation>, MemoryError> {
    let rest = Claim { only: Some(key), after: Some(last), ..claim.clone() };
    Ok(claim_now(shared, rest).await?.conversations.into_iter().next())
}

/// Settles one claimed conversation, and claims the rest of it bit by bit.
async fn sweep_conversation(
    shared: &Shared,
    generation: &Arc<Generation>,
    claim: &Claim,
    mut conversation: ClaimedConversation,
) -> Result<SweepReport, MemoryError> {
    let mut report = SweepReport::default();
    loop {
        let last = conversation.messages.last().map(|message| message.seq);
        let (key, more) = (conversation.key.clone(), conversation.more);
        settle_claimed(shared, generation, conversation, &mut report).await?;
        let (true, Some(last)) = (more, last) else { return Ok(report) };
        // To claim by name would make a counter current again that was swapped out.
        if !shared.is_current(generation) {
            return Ok(report);
        }
        match claim_rest(shared, claim, key, last).await? {
            Some(next) => conversation = next,
            None => return Ok(report),
        }
    }
}

async fn settle_claimed(
    shared: &Shared,
    generation: &Generation,
    conversation: ClaimedConversation,
    report: &mut SweepReport,
) -> Result<(), MemoryError> {
    let ClaimedConversation { key, epoch, messages, .. } = conversation;
    let claimed = messages.len() as u64;
    let counting = messages.into_iter().map(|stored| count_stored(shared, generation, stored));
    let settlements: Vec<_> = stream::iter(counting)
        .buffered(AT_ONCE)
        .filter_map(async |counted| counted)
        .collect()
        .await;
    let counted = settlements.len() as u64;
    report.left += claimed - counted;
    let applied = settle_now(shared, generation, &key, epoch, settlements).await?;
    report.settled += applied;
    counter!(names::RECOVERED).increment(applied);
    generation.pool.metrics().recovered(applied);
    Ok(())
}

/// Settles what was counted; how much of it applied.
pub(super) async fn settle_now(
    shared: &Shared,
    generation: &Generation,
    key: &ConversationKey,
    epoch: Epoch,
    settlements: Vec<Settlement>,
) -> Result<u64, MemoryError> {
    if settlements.is_empty() {
        return Ok(0);
    }
    let settle = Settle { counter: generation.tally_id().clone(), epoch, settlements };
    let settled = shared.deadline().write("settle", shared.store.settle(key, settle)).await?;
    shared.settled.fetch_add(settled.applied, Ordering::Relaxed);
    Ok(settled.applied)
}

/// Counts a claimed message; none where that cannot be done now, or where it is no message.
async fn count_stored(
    shared: &Shared,
    generation: &Generation,
    stored: StoredMessage,
) -> Option<Settlement> {
    let StoredMessage { seq, fingerprint, tally: expected, payload, .. } = stored;
    let message = Message::from_payload(payload).ok()?;
    let tally = count_patiently(&generation.pool, &message, patience(shared)).await?;
    Some(Settlement { seq, fingerprint, expected, tally })
}

/// How long a count may take that nobody waits for: as long as the claim holds.
pub(super) fn patience(shared: &Shared) -> Duration {
    shared.options.count_deadline.max(shared.options.lease)
}
