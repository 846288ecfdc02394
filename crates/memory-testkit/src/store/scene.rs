//! A behaviour's own corner of a store.

use std::sync::Arc;
use std::time::Duration;

use memory_core::{
    Appended, Backlog, Claim, ConversationId, ConversationKey, CounterId, Epoch, LedgerTotals,
    MemoryStore, MemoryStoreExt, Namespace, NewMessage, Page, PageQuery, PendingConversation, Seq,
    Settle, Settled, Settlement, StoredMessage, Tally, Totals, Trim, Trimmed, WindowQuery,
    WindowRead,
};

use super::subject::Subject;
use crate::sample;
use crate::verdict::{Verdict, Violation, ensure_eq};

/// A fresh namespace with one conversation and a counter that nobody else uses.
pub(super) struct Scene {
    pub(super) store: Arc<dyn MemoryStore>,
    pub(super) key: ConversationKey,
    pub(super) counter: CounterId,
}

impl Scene {
    pub(super) fn new(subject: &Subject) -> Self {
        let namespace = format!("testkit-{:032x}", sample::random_bits());
        Self {
            store: Arc::clone(&subject.store),
            key: key(&namespace, "conversation"),
            counter: sample::counter("words"),
        }
    }

    /// Another conversation of the same namespace.
    pub(super) fn other(&self, id: &str) -> Self {
        let key = key(self.key.namespace.as_str(), id);
        Self { store: Arc::clone(&self.store), key, counter: self.counter.clone() }
    }

    /// The same conversation under another counter.
    pub(super) fn under(&self, counter: &CounterId) -> Self {
        Self { store: Arc::clone(&self.store), key: self.key.clone(), counter: counter.clone() }
    }

    pub(super) async fn append(
        &self,
        messages: impl IntoIterator<Item = NewMessage>,
    ) -> Result<Appended, Violation> {
        let append = sample::batch(&self.counter, messages);
        Ok(self.store.append(&self.key, append).await?)
    }

    pub(super) async fn settle(
        &self,
        epoch: Epoch,
        settlements: impl IntoIterator<Item = Settlement>,
    ) -> Result<Settled, Violation> {
        let settlements = settlements.into_iter().collect();
        let settle = Settle { counter: self.counter.clone(), epoch, settlements };
        Ok(self.store.settle(&self.key, settle).await?)
    }

    pub(super) async fn trim(&self, epoch: Epoch, before: u64) -> Result<Trimmed, Violation> {
        Ok(self.store.trim(&self.key, Trim { epoch, before: seq(before) }).await?)
    }

    pub(super) async fn totals(&self) -> Result<Totals, Violation> {
        Ok(self.ledger().await?.under(&self.counter))
    }

    pub(super) async fn ledger(&self) -> Result<LedgerTotals, Violation> {
        Ok(self.store.totals(&self.key).await?)
    }

    pub(super) async fn messages(&self) -> Result<Vec<StoredMessage>, Violation> {
        Ok(self.store.read_all(&self.key, &self.counter).await?.1)
    }

    pub(super) async fn seqs(&self) -> Result<Vec<u64>, Violation> {
        Ok(self.messages().await?.iter().map(|message| message.seq.get()).collect())
    }

    pub(super) async fn page(&self, after: Option<u64>, limit: usize) -> Result<Page, Violation> {
        let query = PageQuery { counter: self.counter.clone(), after: after.map(seq), limit };
        Ok(self.store.page(&self.key, query).await?)
    }

    pub(super) async fn window(&self, budget: u64) -> Result<WindowRead, Violation> {
        let query = WindowQuery { counter: self.counter.clone(), budget };
        Ok(self.store.read_window(&self.key, query).await?)
    }

    pub(super) async fn pending(&self) -> Result<Vec<PendingConversation>, Violation> {
        self.waiting(Backlog::Pending).await
    }

    pub(super) async fn waiting(
        &self,
        backlog: Backlog,
    ) -> Result<Vec<PendingConversation>, Violation> {
        Ok(self.store.pending(&self.key.namespace, backlog, 10_000).await?)
    }

    /// A claim of the pendings that are due under this scene's counter.
    pub(super) fn claim(&self, lease: Duration, limit: usize) -> Claim {
        sample::claim(&self.counter, lease, limit)
    }

    /// A claim of this conversation.
    pub(super) fn claim_this(&self, after: Option<u64>, limit: usize) -> Claim {
        let only = Some(self.key.clone());
        Claim { only, after: after.map(seq), ..self.claim(LEASE, limit) }
    }

    /// Adds the stored tallies up and compares them with every stored sum.
    pub(super) async fn check_ledger(&self, when: &str) -> Verdict {
        let ledger = self.ledger().await?;
        let mut counters: Vec<_> =
            ledger.counters.iter().map(|entry| entry.counter.clone()).collect();
        counters.push(self.counter.clone());
        for counter in &counters {
            let scene = self.under(counter);
            let messages = scene.messages().await?;
            let sums = sums(&messages);
            ensure_eq!(ledger.messages, sums.messages, "messages of totals, {when}");
            ensure_eq!(ledger.under(counter), sums, "totals under {counter:?}, {when}");
            ensure_eq!(scene.page(None, 1).await?.totals, sums, "totals of a page, {when}");
            ensure_eq!(scene.window(1).await?.totals, sums, "totals of a window, {when}");
        }
        Ok(())
    }
}

/// Longer than any test runs.
pub(super) const LEASE: Duration = Duration::from_hours(1);

/// What the sums over these messages are.
pub(super) fn sums(messages: &[StoredMessage]) -> Totals {
    let tallies = || messages.iter().map(|message| message.tally);
    let in_backlog =
        |backlog: Backlog| tallies().filter(|tally| backlog.holds(*tally)).count() as u64;
    Totals {
        messages: messages.len() as u64,
        tokens: tallies().flatten().map(|tally| tally.tokens).sum(),
        pending: in_backlog(Backlog::Pending),
        fallback: in_backlog(Backlog::Fallback),
        complete: tallies().all(|tally| tally.is_some()),
    }
}

/// The settlement of a message as it is stored.
pub(super) fn settlement(message: &StoredMessage, tally: Tally) -> Settlement {
    Settlement {
        seq: message.seq,
        fingerprint: message.fingerprint,
        expected: message.tally,
        tally,
    }
}

pub(super) fn key(namespace: &str, id: &str) -> ConversationKey {
    let namespace = Namespace::new(namespace).expect("the suites give ids that are valid");
    let id = ConversationId::new(id).expect("the suites give ids that are valid");
    ConversationKey::new(namespace, id)
}

pub(super) fn seq(number: u64) -> Seq {
    Seq::new(number).expect("the suites give seqs from 1")
}
