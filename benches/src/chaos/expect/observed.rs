//! What a store holds, and whether it contradicts itself.

use std::time::Duration;

use memory_core::{
    Backlog, CounterId, ListQuery, MemoryStore, MemoryStoreExt, MessageClass, Namespace, Repair,
    StoredMessage, Tally, Totals, WindowQuery, WindowRead,
};

use crate::chaos::error::{ChaosError, Outcome, ensure};
use crate::chaos::session::key;

/// Settles of a process or of a memory that is gone may come while the store is looked at.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// One conversation as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    /// Its number.
    pub(crate) conversation: u16,
    pub(crate) epoch: Option<String>,
    /// In the order in which the store returns them.
    pub(crate) messages: Vec<StoredMessage>,
    /// The stored sums.
    pub(crate) totals: Totals,
    /// The oldest seq behind the head.
    pub(crate) first: u64,
}

/// Reads conversations in every way, and checks that the answers agree.
pub(crate) async fn observe(
    store: &dyn MemoryStore,
    counter: &CounterId,
    conversations: &[u16],
) -> Outcome<Vec<Observed>> {
    let mut all = Vec::with_capacity(conversations.len());
    for &conversation in conversations {
        let key = key(conversation)?;
        let (epoch, messages) = store.read_all(&key, counter).await?;
        let totals = store.totals_under(&key, counter).await?;
        // No conversation here is longer than this budget.
        let query = WindowQuery { counter: counter.clone(), budget: u64::MAX / 4 };
        let window = store.read_window(&key, query).await?;
        let observed = Observed {
            conversation,
            epoch: epoch.map(|epoch| epoch.to_string()),
            messages,
            totals,
            first: window.first.get(),
        };
        observed.check_window(&window)?;
        observed.check()?;
        let report = store.repair(&key, Repair::Check).await?;
        ensure!(
            report.differences.is_empty(),
            "conversation {conversation} contradicts itself: {:?}",
            report.differences
        );
        all.push(observed);
    }
    check_lists(store, &all).await?;
    Ok(all)
}

/// The same where a settle may still be under way: whatever contradicts itself is looked at again.
pub(crate) async fn observe_at_rest(
    store: &dyn MemoryStore,
    counter: &CounterId,
    conversations: &[u16],
) -> Outcome<Vec<Observed>> {
    for _ in 1..LOOKS {
        match observe(store, counter, conversations).await {
            Err(ChaosError::Violation { .. }) => tokio::time::sleep(BETWEEN_LOOKS).await,
            observed => return observed,
        }
    }
    observe(store, counter, conversations).await
}

impl Observed {
    /// Checks order and sums.
    pub(crate) fn check(&self) -> Outcome<()> {
        let number = self.conversation;
        let mut due = None;
        for message in &self.messages {
            let seq = message.seq.get();
            // Behind a stored head, and only there, seqs are missing.
            let follows = match due {
                None => seq == 1 || seq == self.first,
                Some(due) => seq == due || (seq == self.first && seq > due),
            };
            ensure!(follows, "conversation {number} has seq {seq} where {due:?} is due");
            ensure!(
                seq >= self.first || message.class == MessageClass::Instruction,
                "conversation {number} has seq {seq} in its head, which is no instruction"
            );
            due = Some(seq + 1);
        }
        let Totals { messages, tokens, pending, .. } = self.totals;
        let counted = self.messages.len() as u64;
        ensure!(
            messages == counted,
            "conversation {number} has {counted} messages, not {messages}"
        );
        let sum: u64 = self.tallies().map(|tally| tally.map_or(0, |tally| tally.tokens)).sum();
        ensure!(tokens == sum, "conversation {number}'s tallies are {sum} tokens, not {tokens}");
        let waiting = self.tallies().filter(|tally| tally.is_none_or(Tally::is_pending));
        let waiting = waiting.count() as u64;
        ensure!(pending == waiting, "conversation {number} has {waiting} pendings, not {pending}");
        Ok(())
    }

    fn tallies(&self) -> impl Iterator<Item = Option<Tally>> {
        self.messages.iter().map(|message| message.tally)
    }

    fn check_window(&self, window: &WindowRead) -> Outcome<()> {
        let number = self.conversation;
        let read = window.head.iter().chain(&window.tail);
        ensure!(
            window.reached_start && read.eq(&self.messages) && window.totals == self.totals,
            "conversation {number} is another in its window than in its pages"
        );
        Ok(())
    }
}

/// Checks that the lists name what the conversations hold.
async fn check_lists(store: &dyn MemoryStore, all: &[Observed]) -> Outcome<()> {
    let namespace = Namespace::default();
    let query = ListQuery { namespace: namespace.clone(), after: None, limit: 1000 };
    let listed = store.list(query).await?.conversations;
    let pending = store.pending(&namespace, Backlog::Pending, 1000).await?;
    for observed in all {
        let (number, id) = (observed.conversation, key(observed.conversation)?.id);
        let found = listed.iter().find(|summary| summary.id == id);
        ensure!(
            found.map_or(0, |summary| summary.messages) == observed.totals.messages,
            "conversation {number} is listed as {found:?}"
        );
        let found = pending.iter().find(|pending| pending.key.id == id);
        ensure!(
            found.map_or(0, |pending| pending.pending) == observed.totals.pending,
            "conversation {number} has {} pendings, and the index says {found:?}",
            observed.totals.pending
        );
    }
    ensure!(
        listed.len() <= all.len() && pending.len() <= all.len(),
        "the lists name conversations that nobody wrote"
    );
    Ok(())
}
