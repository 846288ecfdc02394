//! Each part from its section of the settings.

use std::sync::Arc;

use cache_redis::RedisPool;
use memory_core::{Limits, TokenCounter};
use memory_instance::{Memory, MemoryBuilder};
use store_embedded::{EmbeddedStore, EmbeddedStoreBuilder};
use store_redis::{RedisStore, RedisStoreBuilder};
use tokens::{CounterRegistry, Resolved};

use super::error::OpenError;
use crate::settings::{StoreSettings, TurnledgerSettings};

/// The counter of this name, such as `o200k_base`, or the one for the model of this name.
///
/// # Errors
///
/// [`OpenError::Counter`] lists the known names, and which of them is near.
///
/// # Examples
///
/// ```
/// use std::error::Error;
/// use turnledger::wiring;
///
/// assert_eq!(wiring::counter("cl100k_base")?.id().as_str(), "cl100k_base");
/// assert_eq!(wiring::counter("gpt-4o-mini")?.id().as_str(), "o200k_base");
/// let reason = wiring::counter("cl100k").unwrap_err().source().unwrap().to_string();
/// assert!(reason.contains("did you mean cl100k_base?"));
/// # Ok::<(), wiring::OpenError>(())
/// ```
pub fn counter(name: &str) -> Result<Arc<dyn TokenCounter>, OpenError> {
    Ok(resolve(name)?.counter)
}

/// The counter of an encoding or a model, and the framing that the model has.
pub(super) fn resolve(name: &str) -> Result<Resolved, OpenError> {
    Ok(CounterRegistry::new().resolve(name)?)
}

/// A memory's builder with everything that the settings say, but without store and counter.
///
/// This is the way to use a store or a counter of your own with the settings of all the rest.
pub fn memory_builder(settings: &TurnledgerSettings) -> MemoryBuilder {
    let TurnledgerSettings { counter, queue, sweep, memory, limits, store: _, redis: _ } = settings;
    Memory::builder()
        .namespace(memory.namespace.clone())
        .limits(*limits)
        .count_policy(counter.policy)
        .workers(counter.workers)
        .hung_after(counter.hung_after)
        .warm_up(counter.warm_up)
        .inline_budget(counter.inline_budget)
        .count_deadline(counter.deadline)
        .queue_capacity(queue.capacity)
        .sweep_interval(sweep.interval)
        .lease(sweep.lease)
        .grace(sweep.grace)
        .deadline(memory.deadline)
}

/// The embedded store's builder with everything that the settings say, but without a place.
pub(super) fn embedded_builder(store: &StoreSettings, limits: Limits) -> EmbeddedStoreBuilder {
    EmbeddedStore::builder()
        .durability(store.durability)
        .cache_bytes(store.cache_bytes)
        .time_to_live(store.time_to_live)
        .limits(limits)
}

/// The builder of a store on Redis with everything that the settings say.
pub(super) fn redis_builder(
    pool: RedisPool,
    store: &StoreSettings,
    limits: Limits,
) -> RedisStoreBuilder {
    RedisStore::builder(pool)
        .prefix(store.prefix.clone())
        .time_to_live(store.time_to_live)
        .refresh_on_read(store.refresh_on_read)
        .wait_replicas(store.wait_replicas)
        .limits(limits)
}
