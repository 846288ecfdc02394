//! The settings as typed values.

use std::time::Duration;

use cache_redis::RedisSettings;
use layered_settings::{Settings, SettingsError, Url};
use memory_core::{Limits, Namespace};
use memory_instance::CountPolicy;
use store_embedded::Durability;

use super::schema::schema_for;

/// All settings, each section as a struct of its own.
///
/// Who builds a part with them has its builder check the values once more.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TurnledgerSettings {
    /// The section `[counter]`.
    pub counter: CounterSettings,
    /// The section `[queue]`.
    pub queue: QueueSettings,
    /// The section `[sweep]`.
    pub sweep: SweepSettings,
    /// The section `[store]`.
    pub store: StoreSettings,
    /// The section `[memory]`.
    pub memory: MemorySettings,
    /// The section `[limits]`.
    pub limits: Limits,
    /// The section `[redis]`. A store on Redis has its address from `store.url`, and all else from
    /// here.
    pub redis: RedisSettings,
}

/// What counts, and when.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CounterSettings {
    /// The vocabulary's name, such as `o200k_base`, or a model's, such as `gpt-4o`.
    pub encoding: String,
    /// Who counts an appended message.
    pub policy: CountPolicy,
    /// Threads that count in the background.
    pub workers: usize,
    /// How long a count may take before its thread is replaced, for each begun 64 KiB of text.
    pub hung_after: Duration,
    /// Whether the vocabulary is loaded when the memory starts, not for the first count.
    pub warm_up: bool,
    /// What one adaptive append may spend counting on the caller's thread.
    pub inline_budget: Duration,
    /// The longest wait for a count that a caller needs.
    pub deadline: Duration,
}

/// What waits to be counted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct QueueSettings {
    /// Messages that may wait.
    pub capacity: usize,
}

/// How what nobody counts is found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SweepSettings {
    /// The time between two searches.
    pub interval: Duration,
    /// How long others leave alone what one sweep has claimed.
    pub lease: Duration,
    /// How long a sweep leaves a new message to the process that appended it.
    pub grace: Duration,
}

/// Where conversations are kept.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StoreSettings {
    /// The store; none where no layer names one.
    pub url: Option<Url>,
    /// What an acknowledged append survives.
    pub durability: Durability,
    /// The memory that the embedded store's cache may take.
    pub cache_bytes: usize,
    /// How long a conversation lives after its last append, on Redis at least three quarters of it;
    /// none for ever.
    pub time_to_live: Option<Duration>,
    /// Whether reads of a store on Redis put the end of a conversation off too.
    pub refresh_on_read: bool,
    /// How many replicas of Redis must have an append within 1 s for it to be acknowledged. The
    /// pool's response time-out has to be longer than that.
    pub wait_replicas: u32,
    /// What the keys of a store on Redis begin with.
    pub prefix: String,
}

/// What holds for every operation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MemorySettings {
    /// The scope that conversations are in.
    pub namespace: Namespace,
    /// The longest time that one operation may take.
    pub deadline: Duration,
    /// The longest time that a program waits for counts before it exits.
    pub shutdown_deadline: Duration,
}

impl TurnledgerSettings {
    /// Reads loaded settings.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for a value that contradicts another one, and for settings of another
    /// [`schema`](super::schema).
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        let limits = limits(settings)?;
        Ok(Self {
            counter: CounterSettings {
                encoding: settings.get("counter.encoding")?,
                policy: policy(settings)?,
                workers: settings.get("counter.workers")?,
                hung_after: settings.get("counter.hung_after")?,
                warm_up: settings.get("counter.warm_up")?,
                inline_budget: settings.get("counter.inline_budget")?,
                deadline: settings.get("counter.deadline")?,
            },
            queue: QueueSettings { capacity: settings.get("queue.capacity")? },
            sweep: SweepSettings {
                interval: settings.get("sweep.interval")?,
                lease: settings.get("sweep.lease")?,
                grace: settings.get("sweep.grace")?,
            },
            store: StoreSettings {
                url: settings.get("store.url")?,
                durability: durability(settings)?,
                cache_bytes: settings.get("store.cache_bytes")?,
                time_to_live: settings.get("store.ttl")?,
                refresh_on_read: settings.get("store.refresh_on_read")?,
                wait_replicas: settings.get("store.wait_replicas")?,
                prefix: settings.get("store.prefix")?,
            },
            memory: MemorySettings {
                namespace: namespace(settings, &limits)?,
                deadline: settings.get("memory.deadline")?,
                shutdown_deadline: settings.get("memory.shutdown_deadline")?,
            },
            limits,
            redis: RedisSettings::from_settings(settings)?,
        })
    }
}

impl Default for TurnledgerSettings {
    /// The defaults of [`schema`](super::schema), without a store.
    fn default() -> Self {
        schema_for(None)
            .and_then(|schema| layered_settings::Loader::new(schema).build())
            .and_then(|settings| Self::from_settings(&settings))
            .expect("the defaults agree with each other, as a test sees")
    }
}

fn policy(settings: &Settings) -> Result<CountPolicy, SettingsError> {
    let key = "counter.policy";
    let word: &str = settings.get(key)?;
    word.parse().map_err(|_| settings.refuse(key, "background, adaptive or inline"))
}

fn durability(settings: &Settings) -> Result<Durability, SettingsError> {
    let key = "store.durability";
    match settings.get(key)? {
        "sync" => Ok(Durability::Sync),
        "relaxed" => Ok(Durability::Relaxed),
        _ => Err(settings.refuse(key, "sync or relaxed")),
    }
}

fn namespace(settings: &Settings, limits: &Limits) -> Result<Namespace, SettingsError> {
    let key = "memory.namespace";
    let expected = || format!("text of 1 to {} bytes, as limits.id_bytes says", limits.id_bytes);
    Namespace::within(settings.get::<&str>(key)?, limits)
        .map_err(|_| settings.refuse(key, expected()))
}

fn limits(settings: &Settings) -> Result<Limits, SettingsError> {
    Ok(Limits {
        id_bytes: settings.get("limits.id_bytes")?,
        message_bytes: settings.get("limits.message_bytes")?,
        batch_messages: settings.get("limits.batch_messages")?,
        json_depth: settings.get("limits.json_depth")?,
    })
}
