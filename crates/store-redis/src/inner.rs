//! What all operations share.

use std::time::Duration;

use futures_util::future::try_join;
use memory_core::{CounterId, Limits, StoreError};

use crate::bounds::span;
use crate::client::Client;
use crate::counters::Counters;
use crate::damage::Damage;
use crate::element::Code;
use crate::error::Fault;
use crate::keys::Prefix;
use crate::known::Known;
use crate::schema::{Schema, check_format};
use crate::server_time::ServerTime;

/// An open store.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) prefix: Prefix,
    pub(crate) schema: Schema,
    pub(crate) counters: Counters,
    pub(crate) known: Known,
    pub(crate) time: ServerTime,
    pub(crate) limits: Limits,
    pub(crate) time_to_live: Option<Duration>,
    /// Whether reads put the end off too.
    pub(crate) refreshes_on_read: bool,
    /// How many replicas must have an append.
    pub(crate) wait_replicas: u32,
}

impl Inner {
    /// The code of a counter for a write, which gets one if it has none.
    pub(crate) async fn code(&self, counter: &CounterId) -> Result<Code, Fault> {
        if !self.is_stale()
            && let Some(code) = self.counters.met_code(counter)
        {
            return Ok(code);
        }
        // On the heap, so that what every write carries about stays small.
        Box::pin(async {
            self.renew().await?;
            self.counters.code(&self.client, counter).await
        })
        .await
    }

    /// Whether connections were made anew since the schema was looked at.
    pub(crate) fn is_stale(&self) -> bool {
        self.schema.seen() != self.client.pool.generation()
    }

    /// Looks at what all processes share once more where connections were made anew: a server
    /// without persistence has lost it with all else when it starts again. What this process goes
    /// on with is written there then, unless another process came first.
    pub(crate) async fn renew(&self) -> Result<(), Fault> {
        let generation = self.client.pool.generation();
        if self.schema.seen() >= generation {
            return Ok(());
        }
        let used = Some(self.schema.digests());
        let schema = check_format(&self.client, &self.prefix, used);
        let seen = try_join(schema, self.counters.restore(&self.client)).await;
        let (digests, ()) = seen.map_err(|fault| match fault {
            // It is not the conversation that is damaged.
            Fault::Damaged(Damage(detail)) => {
                let what = self.client.pool.address().to_owned();
                Fault::Refused(StoreError::Damaged { what, detail })
            }
            // Whoever waits for it has sent nothing yet.
            fault => fault.before(),
        })?;
        self.schema.see(digests, generation);
        Ok(())
    }

    /// The time to live in milliseconds.
    pub(crate) fn ttl(&self) -> Option<u64> {
        self.time_to_live.map(|ttl| span(ttl).max(1))
    }

    /// When a conversation ends that is written to now, and whether that is worth to be told the
    /// server: a quarter of the time has gone since its end was set, as far as is known.
    pub(crate) fn ends(&self, known: u64) -> Option<(u64, bool)> {
        let ttl = self.ttl()?;
        let ends = self.time.now().saturating_add(ttl);
        Some((ends, ends.saturating_sub(known) > ttl / 4))
    }
}
