//! What is looked at when a store is opened, and when servers may have started anew: the server's
//! version and the stored format.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use cache_redis::connection::{Value, cmd, pipe};
use memory_core::StoreError;

use crate::answer::{number, texts};
use crate::client::{Client, server_field};
use crate::digests::Digests;
use crate::error::{Fault, RedisStoreError};
use crate::keys::Prefix;

/// The version of the stored format that this code reads and writes.
pub(crate) const FORMAT: &str = "1";

/// The oldest version of a server that has all commands: PEXPIREAT with conditions, PEXPIRETIME.
const OLDEST: u64 = 7;

/// What this process has seen of the schema.
#[derive(Debug)]
pub(crate) struct Schema {
    digests: RwLock<Digests>,
    /// The pool's generation then.
    seen: AtomicU64,
}

impl Schema {
    pub(crate) fn new(digests: Digests, generation: u64) -> Self {
        Self { digests: RwLock::new(digests), seen: AtomicU64::new(generation) }
    }

    pub(crate) fn digests(&self) -> Digests {
        self.digests.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The generation of connections with which it was seen.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Acquire)
    }

    /// Takes what was seen with the connections of a generation, unless something later was.
    pub(crate) fn see(&self, digests: Digests, generation: u64) {
        let mut known = self.digests.write().unwrap_or_else(PoisonError::into_inner);
        if self.seen.fetch_max(generation, Ordering::AcqRel) <= generation {
            *known = digests;
        }
    }
}

/// Refuses servers that are too old.
pub(crate) async fn check_version(client: &Client) -> Result<(), Fault> {
    for lane in client.pool.servers().await? {
        // Valkey tells the version of Redis that it stands for under the same name.
        let version = server_field(&lane, "redis_version:").await?;
        let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
        if major.is_none_or(|major| major < OLDEST) {
            return Err(RedisStoreError::Version { found: version }.into());
        }
    }
    Ok(())
}

/// Reads the schema, and writes it where there is none, with the digests that this process has
/// used; gives the digests that all processes use.
pub(crate) async fn check_format(
    client: &Client,
    prefix: &Prefix,
    used: Option<Digests>,
) -> Result<Digests, Fault> {
    let key = prefix.schema();
    let mut read = cmd("HMGET");
    read.arg(&key).arg("format").arg("digests");
    let mut stored = client.command(&read).await?;
    if matches!(&stored, Value::Array(values) if values.iter().all(|value| *value == Value::Nil)) {
        let digests = used.map_or_else(Digests::random, Ok)?;
        // Of several processes that come at once, one writes.
        let mut write = pipe();
        write.atomic();
        write.cmd("HSETNX").arg(&key).arg("digests").arg(digests.key()).ignore();
        write.cmd("HSETNX").arg(&key).arg("format").arg(FORMAT).ignore();
        client.pool.any_lane().run_all(&write).await?;
        stored = client.command(&read).await?;
    }
    let found = texts(stored, "the schema")
        .ok()
        .and_then(|texts| <[Vec<u8>; 2]>::try_from(texts).ok())
        .ok_or_else(|| damaged(client))?;
    let [format, digests] = found;
    if format != FORMAT.as_bytes() {
        return Err(Fault::Refused(StoreError::UnknownFormat {
            what: client.pool.address().to_owned(),
            found: String::from_utf8_lossy(&format).into_owned(),
            supported: FORMAT.to_owned(),
        }));
    }
    let digests = digests.try_into().map_err(|_| damaged(client))?;
    Ok(Digests::new(digests))
}

fn damaged(client: &Client) -> Fault {
    let what = client.pool.address().to_owned();
    Fault::Refused(StoreError::Damaged { what, detail: "its schema key is not whole" })
}

/// The server's time, in milliseconds since 1970.
pub(crate) async fn time(client: &Client) -> Result<u64, Fault> {
    time_of(client.command(&cmd("TIME")).await?)
}

/// What `TIME` was answered with.
pub(crate) fn time_of(answer: Value) -> Result<u64, Fault> {
    let time = match answer {
        Value::Array(parts) => parts.iter().map(number).collect::<Option<Vec<_>>>(),
        _ => None,
    };
    match time.as_deref() {
        Some([seconds, micros]) => Ok(seconds.saturating_mul(1000).saturating_add(micros / 1000)),
        _ => Err(Fault::answer("TIME")),
    }
}
