//! One counter in the place of another.

use std::sync::Arc;
use std::time::Duration;

use memory_core::{StoreError, TokenCounter};
use tokens::AsyncTokenCounter;
use tokio::time::{sleep, timeout};

use super::Memory;
use crate::error::MemoryError;
use crate::generation::{Begun, Generation, Unused};
use crate::shared::Shared;

/// The longest that an operation may keep a former counter, in deadlines: a sweep that is under way
/// tries a message three times, each as long as its claim holds.
const PATIENCE: u32 = 4;

impl Memory {
    /// Counts with another counter from now on, and has everything in the memory's namespace that
    /// the former one has counted counted anew in the background.
    ///
    /// Appends and windows that begin after it use the new counter; those that are under way end
    /// with the former one, and what they have appended is counted anew as well. The new pool has
    /// the settings of the former one.
    ///
    /// That the namespace is to be recounted is noted in the store before anything changes. The
    /// sweeps then work it off a piece at a time, conversations that nobody touches among them, and
    /// whoever opens the store again with the new counter goes on where they stood. Until then a
    /// conversation's totals under the new counter have pendings and are not complete. Those under
    /// the former one stay in the ledger. Conversations in other namespaces are counted anew when
    /// they are touched.
    ///
    /// Returns the former counter's pool. It counts what is queued and is then shut down in the
    /// background, within the memory's [deadline](crate::MemoryBuilder::deadline); what it does not
    /// come to is pending under a counter that nobody uses any more, and is counted by the new one.
    ///
    /// A conversation keeps its tallies under every counter that has counted it, and under
    /// [`Limits::COUNTERS`](memory_core::Limits::COUNTERS) of them at most: one that has as many
    /// keeps the counter that it has, and refuses appends under another.
    ///
    /// Where several memories share a namespace and count differently, each keeps true tallies of
    /// its own, and a conversation belongs to the one that used it last: swap all of them.
    ///
    /// # Errors
    ///
    /// - [`MemoryError::Pool`]: the new counter's threads cannot be started.
    /// - [`StoreError::Unsupported`]: the store cannot have a namespace recounted.
    /// - Those of the store, and [`MemoryError::ShutDown`].
    ///
    /// After each of them the memory counts with the counter that it had. After
    /// [`StoreError::OutcomeUnknown`] the note may be in the store; it does nothing until somebody
    /// counts with that counter, and the next swap replaces it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the memory with the counter that it had, or wholly swapped. The
    /// note may be in the store all the same, as after an unknown outcome.
    ///
    /// # Examples
    ///
    /// ```
    /// # use memory_core::{ConversationId, Message};
    /// # use memory_instance::Memory;
    /// # use std::time::Duration;
    /// # use store_embedded::EmbeddedStore;
    /// # use tokens::BpeCounter;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = EmbeddedStore::builder().in_memory().open()?;
    /// # let memory = Memory::builder().store(store).counter(BpeCounter::cl100k_base()).build().await?;
    /// let conversation = memory.conversation(ConversationId::new("tour-42")?);
    /// conversation.append(Message::user("Where does the ferry leave?")).await?;
    ///
    /// memory.swap_counter(BpeCounter::o200k_base()).await?;
    ///
    /// assert_eq!(memory.tally_id().as_str(), "o200k_base/openai-chat-1");
    /// // The sweeps do this by themselves; here it is waited for.
    /// let totals = conversation.settle(Duration::from_secs(5)).await?;
    /// assert!(totals.is_settled() && totals.complete);
    /// # memory.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn swap_counter(
        &self,
        counter: impl TokenCounter,
    ) -> Result<AsyncTokenCounter, MemoryError> {
        let shared = self.shared();
        // One after the other: the last note must be that of the counter that stays.
        let _alone = shared.swapping.lock().await;
        shared.check_open()?;
        let Begun { generation, unused, outcomes } =
            Generation::begin(Arc::new(counter), &shared.options.pool)?;
        note(shared, &generation).await?;
        // No await from here on: what was noted is now done as a whole.
        let (former, former_unused) = shared.replace(Arc::clone(&generation), unused)?;
        self.0.settle(&generation, outcomes);
        let pool = AsyncTokenCounter::clone(&former);
        self.0.spawn(retire(Arc::clone(shared), former, former_unused));
        Ok(pool)
    }
}

/// Notes in the store that the namespace is to be counted by this counter.
async fn note(shared: &Shared, generation: &Generation) -> Result<(), StoreError> {
    let noting = shared.store.recount(&shared.options.namespace, generation.tally_id());
    shared.deadline().write("recount", noting).await
}

/// Ends a former counter's work.
async fn retire(shared: Arc<Shared>, pool: Arc<AsyncTokenCounter>, unused: Unused) {
    // Whoever waits for a count of it gets one: only then is it shut down.
    let _ = timeout(longest_operation(&shared), unused.wait()).await;
    // An append that was under way may have made the former counter current again where the recount
    // had already been, so that begins anew.
    while let Err(error) = note_again(&shared).await {
        shared.log_failure("recount", 0, &error);
        sleep(shared.options.sweep_interval).await;
    }
    shared.sweep_now.notify_one();
    pool.shutdown(shared.options.deadline).await;
    shared.forget(&pool);
}

async fn note_again(shared: &Shared) -> Result<(), StoreError> {
    let _alone = shared.swapping.lock().await;
    note(shared, &shared.generation()).await
}

fn longest_operation(shared: &Shared) -> Duration {
    let options = &shared.options;
    options.deadline.max(options.count_deadline).max(options.lease).saturating_mul(PATIENCE)
}
