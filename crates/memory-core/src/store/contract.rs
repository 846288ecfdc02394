//! The trait that every store implements.

use std::fmt;

use async_trait::async_trait;

use super::admin::{
    Archive, Cleared, ListPage, ListQuery, Probe, PutHead, Repair, RepairReport, StableStart,
};
use super::capabilities::Capabilities;
use super::error::StoreError;
use super::read::{
    Backlog, Claim, Claimed, Page, PageQuery, PendingConversation, WindowQuery, WindowRead,
};
use super::write::{Append, Appended, Dropped, Settle, Settled, Trim, Trimmed};
use crate::clock::Timestamp;
use crate::ids::{ConversationKey, CounterId, Namespace};
use crate::ledger::LedgerTotals;

/// Where conversations live.
///
/// # Contract
///
/// - **Atomicity.** Each operation on one conversation happens wholly or not at all, as every
///   reader sees it. Nothing is promised across conversations.
/// - **Ordering.** Writes to one conversation happen one after the other. A read that begins
///   after a write was acknowledged sees it.
/// - **Ledger.** After every operation the stored sums equal the stored tallies of the retained
///   messages, under each counter.
/// - **Missing conversations** are empty ones: reads return nothing, trims and settles do
///   nothing, and none of these is an error. The first append begins a new epoch.
/// - **Lives.** A life begins with an append, and ends when the conversation is cleared or expires.
///   One whose messages are all trimmed or dropped goes on: reads tell its epoch, it is listed with
///   0 messages, its counter can be set and its end too, and the ids of trimmed messages stay known.
/// - **Expiry.** A conversation whose time has passed is empty to every operation, at once.
/// - **Isolation.** No operation sees another namespace.
/// - **Cancellation.** Dropping a future leaves the operation wholly done or wholly undone, and
///   leaks nothing. A store that has begun to write may finish.
/// - **Errors.** An error other than [`StoreError::OutcomeUnknown`] means that nothing was
///   written.
/// - **Clones** and shared pointers are the same store.
/// - **Limits** on input are checked before any work.
///
/// What a backend cannot do it says in its [`Capabilities`], and the call is
/// [`StoreError::Unsupported`]. The conformance suite of `memory-testkit` holds stores to all of
/// this.
///
/// # Cancel safety
///
/// Every method is cancel safe in the sense of the contract above.
#[async_trait]
pub trait MemoryStore: fmt::Debug + Send + Sync + 'static {
    /// What this store can do.
    fn capabilities(&self) -> Capabilities;

    /// Appends a batch.
    ///
    /// The messages take the next seqs, in order. A caller's id that is known in this epoch is a
    /// repeat: it writes nothing, and the answer has the known message's seq. That holds within a
    /// batch too. Content is compared by a digest of at least 128 bits that is kept as long as the
    /// epoch lives, also when the message was trimmed. The batch's counter becomes current where
    /// at least one message is new.
    ///
    /// Idempotent for messages with a caller's id; without one, every call appends.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] where an id is known with other content,
    /// [`StoreError::OutcomeUnknown`] where the answer was lost.
    async fn append(&self, key: &ConversationKey, append: Append) -> Result<Appended, StoreError>;

    /// Replaces tallies by counts, each where epoch, seq, fingerprint and expected tally are still
    /// the stored ones.
    ///
    /// Idempotent: a settlement that no longer applies does nothing, and is no error. The current
    /// counter stays as it is.
    ///
    /// A fallback's count is replaced as an estimate is. It does not come back: a settlement that
    /// [steps back](super::Settlement::steps_back) to one does nothing.
    ///
    /// A call does not build on itself. A settlement applies where its expectation is what was
    /// stored before the call, and still is when its turn comes: of several for one message the
    /// first that fits applies, and those after it only if that one changed nothing.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn settle(&self, key: &ConversationKey, settle: Settle) -> Result<Settled, StoreError>;

    /// Reads the head and as much of the end as fills a budget; see [`WindowRead`].
    ///
    /// The tail is long enough that the budget is filled even if every pending message costs no
    /// more than its [`lower_bound`](crate::Tally::lower_bound), and holds one whole group beyond
    /// that, unless it reaches the start. [`TailWalk`](super::TailWalk) is this rule. It all
    /// belongs to one moment. The cost does not grow with the history.
    ///
    /// A message that only other counters have counted is taken for at most half of the largest
    /// figure among theirs. That is a guess and no bound: who finds the tail too short reads again
    /// for a larger budget.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn read_window(
        &self,
        key: &ConversationKey,
        query: WindowQuery,
    ) -> Result<WindowRead, StoreError>;

    /// Reads some messages in the order of their seqs.
    ///
    /// Each page belongs to one moment; several pages do not.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn page(&self, key: &ConversationKey, query: PageQuery) -> Result<Page, StoreError>;

    /// The conversation's sums, under every counter.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn totals(&self, key: &ConversationKey) -> Result<LedgerTotals, StoreError>;

    /// Makes a counter the conversation's current one, so that what it has not counted becomes
    /// pending. Does nothing where there is no conversation. Idempotent, and its cost does not
    /// grow with the history.
    ///
    /// # Errors
    ///
    /// [`StoreError::Limit`] where the conversation was counted under too many counters.
    async fn set_counter(
        &self,
        key: &ConversationKey,
        counter: &CounterId,
    ) -> Result<(), StoreError>;

    /// Has every conversation of a namespace counted under this counter, also those that nobody
    /// touches any more.
    ///
    /// The store notes it, and changes no conversation yet. From then on a
    /// [claim](Self::claim_pending) of pendings with this counter that names no conversation also
    /// makes the counter current in conversations of the namespace that have another one, some of
    /// them at a time, and says that there is more until it has seen them all. How far it has come
    /// is stored with what it has changed, so that whoever claims after a crash goes on from there.
    ///
    /// Each namespace has one such note: the latest call replaces the former, and begins from the
    /// first conversation again. What is appended later under another counter still makes that
    /// one current. A conversation that was counted under too many counters keeps its own.
    /// Idempotent, and its cost does not grow with the namespace.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] where the backend has no such thing.
    async fn recount(&self, namespace: &Namespace, counter: &CounterId) -> Result<(), StoreError> {
        let _ = (namespace, counter);
        Err(self.unsupported("have a namespace counted anew"))
    }

    /// Some conversations of a namespace that have messages in a backlog, leased or not, at most
    /// `limit`.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn pending(
        &self,
        namespace: &Namespace,
        backlog: Backlog,
        limit: usize,
    ) -> Result<Vec<PendingConversation>, StoreError>;

    /// Takes a lease on conversations with messages in a backlog that nobody is working on, in
    /// every namespace, and returns those messages.
    ///
    /// A conversation has a lease for each backlog. It ends by itself; settling the last message of
    /// the backlog ends it too. Where a claim names a conversation, its lease is taken whoever
    /// holds it.
    ///
    /// A lease saves work and guards nothing: settles compare what they replace. So a store that
    /// one process holds at a time may forget all leases when it is opened, because nobody is left
    /// who holds one. No store keeps a lease beyond its time, opened anew or not.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn claim_pending(&self, claim: Claim) -> Result<Claimed, StoreError>;

    /// Removes the oldest whole groups behind the head.
    ///
    /// Leading instructions that the cut passes stay, with their seqs and tallies, as the stored
    /// head. Seqs are not given back, and caller ids stay known. Idempotent.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn trim(&self, key: &ConversationKey, trim: Trim) -> Result<Trimmed, StoreError>;

    /// Removes the newest `count` messages, for a retry or an answer that is generated anew.
    ///
    /// Their seqs are given to the next appends, with new fingerprints, and their caller ids are
    /// free again. Not idempotent: each call drops.
    ///
    /// A drop reaches into the head once nothing is left behind it. Seqs that a trim has passed are
    /// not given back then either: the next append takes the first seq behind the cut, and stands
    /// behind what is left of the head.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn drop_newest(&self, key: &ConversationKey, count: u64) -> Result<Dropped, StoreError>;

    /// Replaces pins and summary.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] where the backend has no such thing.
    async fn put_head(&self, key: &ConversationKey, head: PutHead) -> Result<(), StoreError> {
        let _ = (key, head);
        Err(self.unsupported("put a head"))
    }

    /// Moves old messages out of the way of reads.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] where the backend has no such thing.
    async fn archive(&self, key: &ConversationKey, archive: Archive) -> Result<u64, StoreError> {
        let _ = (key, archive);
        Err(self.unsupported("archive"))
    }

    /// Sets where windows begin, by compare-and-set; false where the stored start is another.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] where the backend has no such thing.
    async fn stable_start(
        &self,
        key: &ConversationKey,
        start: StableStart,
    ) -> Result<bool, StoreError> {
        let _ = (key, start);
        Err(self.unsupported("keep a stable start"))
    }

    /// Removes everything of a conversation. The next append begins a new epoch. Idempotent.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn clear(&self, key: &ConversationKey) -> Result<Cleared, StoreError>;

    /// Sets when the conversation ends by itself, or with none that it does not; false where there
    /// is no conversation.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] where the backend cannot.
    async fn expire(
        &self,
        key: &ConversationKey,
        at: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// Lists the conversations of a namespace. What is created or removed meanwhile may be seen
    /// or not; everything else is seen once.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn list(&self, query: ListQuery) -> Result<ListPage, StoreError>;

    /// Asks the backend whether it answers.
    ///
    /// # Errors
    ///
    /// Those of the backend.
    async fn probe(&self) -> Result<Probe, StoreError>;

    /// Compares a conversation's stored numbers with its messages, and mends them if asked to.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsupported`] where the backend cannot.
    async fn repair(
        &self,
        key: &ConversationKey,
        repair: Repair,
    ) -> Result<RepairReport, StoreError>;

    /// The error of an operation that this backend cannot do.
    fn unsupported(&self, operation: &'static str) -> StoreError {
        StoreError::Unsupported { backend: self.capabilities().backend, operation }
    }
}
