//! The defaults of the settings are those of the parts, and every setting reaches its part.

use std::sync::Arc;

use cache_redis::RedisPool;
use memory_core::{Limits, Namespace};
use memory_instance::{CountPolicy, Memory};
use store_embedded::EmbeddedStore;
use store_redis::RedisStore;
use tokens::{AsyncTokenCounter, BpeCounter};

use super::typed;
use crate::settings::{TurnledgerSettings, schema};
use crate::wiring::parts::{embedded_builder, memory_builder, redis_builder};

/// A memory's builder, with everything that it shows of itself.
fn shown_memory(settings: &TurnledgerSettings) -> String {
    format!("{:?}", memory_builder(settings))
}

fn shown_store(settings: &TurnledgerSettings) -> String {
    format!("{:?}", embedded_builder(&settings.store, settings.limits))
}

async fn shown_redis(settings: &TurnledgerSettings) -> String {
    let pool = RedisPool::builder(settings.redis.clone()).build().await.unwrap();
    format!("{:?}", redis_builder(pool, &settings.store, settings.limits))
}

/// The sizes of the pool that a memory builds, given or by default.
async fn shown_pool(builder: memory_instance::MemoryBuilder) -> String {
    let store = EmbeddedStore::builder().in_memory().open_async().await.unwrap();
    let memory = builder.store(store).counter(BpeCounter::o200k_base()).build().await.unwrap();
    format!("{:?}", memory.counting())
}

#[tokio::test]
async fn every_default_is_that_of_the_part() {
    let defaults = TurnledgerSettings::default();
    // The settings always give the pool's sizes; that they are its own defaults shows the pool.
    let sized =
        Memory::builder().queue_capacity(defaults.queue.capacity).workers(defaults.counter.workers);
    assert_eq!(shown_memory(&defaults), format!("{sized:?}"));
    assert_eq!(shown_store(&defaults), format!("{:?}", EmbeddedStore::builder()));
    let pool = RedisPool::builder(defaults.redis.clone()).build().await.unwrap();
    assert_eq!(shown_redis(&defaults).await, format!("{:?}", RedisStore::builder(pool)));
    let counter = Arc::new(BpeCounter::o200k_base());
    let pool = AsyncTokenCounter::builder(counter).build().unwrap();
    assert_eq!(shown_pool(memory_builder(&defaults)).await, format!("{pool:?}"));

    assert_eq!(defaults.queue.capacity, tokens::pool::DEFAULT_CAPACITY);
    assert_eq!(defaults.counter.deadline, tokens::pool::DEFAULT_DEADLINE);
    assert_eq!(defaults.counter.policy, CountPolicy::default());
    assert_eq!(defaults.memory.namespace, Namespace::default());
    assert_eq!(defaults.limits, Limits::default());
    assert_eq!(defaults.counter.encoding, "o200k_base");
}

/// Settings that no builder takes: two that the wiring uses itself, and one for programs.
const NOT_FOR_BUILDERS: [&str; 3] = ["counter.encoding", "store.url", "memory.shutdown_deadline"];

#[tokio::test]
async fn every_setting_reaches_its_part() {
    let defaults = TurnledgerSettings::default();
    let (memory, store) = (shown_memory(&defaults), shown_store(&defaults));
    let redis = shown_redis(&defaults).await;
    let pool = shown_pool(memory_builder(&defaults)).await;
    let changed = [
        ("counter.policy", "inline"),
        ("counter.workers", "11"),
        ("counter.hung_after", "31s"),
        ("counter.warm_up", "false"),
        ("counter.inline_budget", "21us"),
        ("counter.deadline", "6s"),
        ("queue.capacity", "1001"),
        ("sweep.interval", "6s"),
        ("sweep.lease", "31s"),
        ("sweep.grace", "11s"),
        ("store.durability", "relaxed"),
        ("store.cache_bytes", "64MB"),
        ("store.ttl", "1h"),
        ("store.refresh_on_read", "true"),
        ("store.wait_replicas", "1"),
        ("store.prefix", "app:"),
        ("memory.namespace", "tenant"),
        ("memory.deadline", "11s"),
        ("limits.id_bytes", "255"),
        ("limits.message_bytes", "1MB"),
        ("limits.batch_messages", "999"),
        ("limits.json_depth", "127"),
    ];
    for (key, text) in changed {
        let settings = typed(&[(key, text)]);
        let reached = match key {
            "counter.workers" | "counter.hung_after" | "queue.capacity" => {
                shown_pool(memory_builder(&settings)).await != pool
            }
            "store.prefix" | "store.refresh_on_read" | "store.wait_replicas" => {
                shown_redis(&settings).await != redis
            }
            "store.ttl" => shown_redis(&settings).await != redis && shown_store(&settings) != store,
            _ if key.starts_with("limits.") => {
                shown_memory(&settings) != memory
                    && shown_store(&settings) != store
                    && shown_redis(&settings).await != redis
            }
            _ if key.starts_with("store.") => shown_store(&settings) != store,
            _ => shown_memory(&settings) != memory,
        };
        assert!(reached, "{key} does not reach its part");
    }
    // Those of Redis reach its typed settings, which is for cache-redis to see.
    let schema = schema();
    let others = schema.settings().iter().filter(|setting| setting.section() != "redis");
    for setting in others {
        let key = setting.key();
        let tried = changed.iter().any(|(other, _)| *other == key);
        assert!(tried || NOT_FOR_BUILDERS.contains(&key), "{key} is not tried here");
    }
}

#[test]
fn the_word_off_means_no_time_to_live() {
    assert_eq!(typed(&[("store.ttl", "off")]), TurnledgerSettings::default());
}
