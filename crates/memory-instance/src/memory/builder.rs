//! From settings to a running memory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use memory_core::{Framing, Limits, MemoryStore, Namespace, Redactor, TokenCounter};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::handle::Memory;
use super::running::Running;
use crate::background::{NUDGES, recount_regularly, sweep_regularly};
use crate::deadline::LONGEST;
use crate::error::MemoryError;
use crate::generation::{Begun, Generation, PoolSettings};
use crate::policy::CountPolicy;
use crate::shared::{Options, Shared};

/// Builds a [`Memory`]; a store and a counter are needed, everything else has a default.
#[must_use]
pub struct MemoryBuilder {
    store: Option<Arc<dyn MemoryStore>>,
    counter: Option<Arc<dyn TokenCounter>>,
    options: Options,
}

impl Default for MemoryBuilder {
    fn default() -> Self {
        Self {
            store: None,
            counter: None,
            options: Options {
                namespace: Namespace::default(),
                policy: CountPolicy::default(),
                redactor: None,
                limits: Limits::default(),
                inline_budget: Duration::from_micros(20),
                count_deadline: tokens::pool::DEFAULT_DEADLINE,
                deadline: Duration::from_secs(10),
                sweep_interval: Duration::from_secs(5),
                lease: Duration::from_secs(20),
                grace: Duration::from_secs(10),
                pool: PoolSettings {
                    framing: Framing::default(),
                    capacity: None,
                    workers: None,
                    hung_after: tokens::pool::DEFAULT_HUNG_AFTER,
                    warm_up: true,
                },
            },
        }
    }
}

impl MemoryBuilder {
    /// Where conversations live.
    pub fn store(mut self, store: impl MemoryStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// What counts the tokens of texts.
    pub fn counter(mut self, counter: impl TokenCounter) -> Self {
        self.counter = Some(Arc::new(counter));
        self
    }

    /// How texts become messages' tallies (default [`Framing::openai_chat_1`]).
    pub fn framing(mut self, framing: Framing) -> Self {
        self.options.pool.framing = framing;
        self
    }

    /// The namespace of [`Memory::conversation`] (default `default`).
    pub fn namespace(mut self, namespace: Namespace) -> Self {
        self.options.namespace = namespace;
        self
    }

    /// Who counts, and when (default [`CountPolicy::Adaptive`]).
    pub fn count_policy(mut self, policy: CountPolicy) -> Self {
        self.options.policy = policy;
        self
    }

    /// What takes out of messages what must not be stored (default: nothing).
    pub fn redactor(mut self, redactor: impl Redactor) -> Self {
        self.options.redactor = Some(Arc::new(redactor));
        self
    }

    /// The bounds on input (default [`Limits::default`]).
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options.limits = limits;
        self
    }

    /// How many messages wait to be counted and settled at most (default 1000).
    pub fn queue_capacity(mut self, places: usize) -> Self {
        self.options.pool.capacity = Some(places);
        self
    }

    /// How many threads count (default: as many as there are cores, at most 10).
    pub fn workers(mut self, threads: usize) -> Self {
        self.options.pool.workers = Some(threads);
        self
    }

    /// How long a count may take before its thread is replaced, for each begun 64 KiB of text
    /// (default 30 s).
    pub fn hung_after(mut self, time: Duration) -> Self {
        self.options.pool.hung_after = time;
        self
    }

    /// Whether the counter loads what it needs when the memory starts, so that nothing waits for
    /// it later (the default).
    ///
    /// Without, it is loaded for the first message that is counted, and
    /// [`CountPolicy::Adaptive`] counts nothing at once before the background has counted some 64
    /// texts: for a program that only reads, or ends soon.
    pub fn warm_up(mut self, warm_up: bool) -> Self {
        self.options.pool.warm_up = warm_up;
        self
    }

    /// How long counting may hold up one append under [`CountPolicy::Adaptive`] (default 20 µs).
    pub fn inline_budget(mut self, budget: Duration) -> Self {
        self.options.inline_budget = budget;
        self
    }

    /// How long a count may take that somebody waits for (default 5 s).
    pub fn count_deadline(mut self, deadline: Duration) -> Self {
        self.options.count_deadline = deadline;
        self
    }

    /// How long any operation may take as a whole (default 10 s).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.deadline = deadline;
        self
    }

    /// How often pendings that nobody works on are looked for (default 5 s).
    pub fn sweep_interval(mut self, interval: Duration) -> Self {
        self.options.sweep_interval = interval;
        self
    }

    /// How long a sweep keeps what it claims from other sweeps (default 20 s).
    ///
    /// Together with the interval it bounds how long a message stays pending whose first sweep
    /// failed: 25 s by default.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease;
        self
    }

    /// How long sweeps leave a message alone that was queued at its append (default 10 s).
    pub fn grace(mut self, grace: Duration) -> Self {
        self.options.grace = grace;
        self
    }

    /// Checks the settings, starts the counting threads and the background tasks, and begins a
    /// first sweep.
    ///
    /// It returns without waiting for the counter's vocabulary, which a thread of the pool loads.
    ///
    /// # Errors
    ///
    /// [`MemoryError::Missing`], [`MemoryError::Setting`], [`MemoryError::Pool`], and
    /// [`MemoryError::NoRuntime`] outside a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it does not wait.
    #[expect(clippy::unused_async, reason = "it must run inside a runtime, and may wait one day")]
    pub async fn build(self) -> Result<Memory, MemoryError> {
        let runtime = Handle::try_current().map_err(|_| MemoryError::NoRuntime)?;
        self.options.check()?;
        let store = self.store.ok_or(MemoryError::Missing { what: "store" })?;
        let counter = self.counter.ok_or(MemoryError::Missing { what: "counter" })?;
        let Begun { generation, unused, outcomes } =
            Generation::begin(counter, &self.options.pool)?;
        let (nudges, touched) = mpsc::channel(NUDGES);
        let shared = Shared::new(store, self.options, Arc::clone(&generation), unused, nudges);
        let running = Running::new(Arc::new(shared), runtime);
        running.settle(&generation, outcomes);
        running.spawn(sweep_regularly(Arc::clone(&running.shared), touched));
        running.spawn(recount_regularly(Arc::clone(&running.shared)));
        Ok(Memory(Arc::new(running)))
    }
}

impl Options {
    /// Refuses what would make every operation fail, or a task spin.
    fn check(&self) -> Result<(), MemoryError> {
        for (setting, duration) in [
            ("counter.deadline", self.count_deadline),
            ("memory.deadline", self.deadline),
            ("sweep.interval", self.sweep_interval),
            ("sweep.lease", self.lease),
        ] {
            if duration.is_zero() || duration > LONGEST {
                let value = format!("{duration:?}");
                let expected = "a duration above zero and of at most 365 days";
                return Err(MemoryError::Setting { setting, value, expected });
            }
        }
        let Limits { id_bytes, message_bytes, batch_messages, json_depth } = self.limits;
        for (setting, value) in [
            ("limits.id_bytes", id_bytes),
            ("limits.message_bytes", message_bytes),
            ("limits.batch_messages", batch_messages),
            ("limits.json_depth", json_depth),
        ] {
            if value == 0 {
                let expected = "at least 1";
                return Err(MemoryError::Setting { setting, value: value.to_string(), expected });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
