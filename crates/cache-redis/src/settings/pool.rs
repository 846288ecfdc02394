//! The bounds of the pool, and how they depend on each other.

use std::time::Duration;

use layered_settings::{Layer, Settings, SettingsError};

use super::preset::PoolPreset;

const PRESET: &str = "redis.pool.preset";
const SIZE: &str = "redis.pool.size";
const TIMEOUT: &str = "redis.pool.timeout";
const MAX_IDLE: &str = "redis.pool.max_idle";
const MIN_IDLE: &str = "redis.pool.min_idle";

/// The section `[redis.pool]`. A pool is built only within the ranges that are named here; each
/// time is more than zero and at most 365 days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolSettings {
    /// The most connections that are open at a time, from 1 to 65,535.
    pub size: usize,
    /// The longest wait for a connection: for a free one, for connecting, for checking it.
    pub timeout: Duration,
    /// The most connections that stay open without use, at most `size`.
    pub max_idle: usize,
    /// The connections that are kept open without use, at most `max_idle`.
    pub min_idle: usize,
    /// The time without use after which a connection is closed.
    pub idle_timeout: Duration,
    /// The age at which a connection is closed; none for no such age.
    pub max_lifetime: Option<Duration>,
    /// The longest time for one attempt to connect.
    pub connect_timeout: Duration,
    /// The longest wait for the reply to a command.
    pub response_timeout: Duration,
    /// The most commands in flight on one shared connection, from 1 to 100,000.
    pub lane_depth: usize,
    /// The most attempts to connect within any second, from 1 to 100,000.
    pub connect_rate: usize,
    /// The time after which an exclusive connection that is still held counts as a leak.
    pub hold_limit: Duration,
}

impl PoolSettings {
    /// Reads settings that are [settled](settle).
    pub(super) fn read(settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            size: settings.get(SIZE)?,
            timeout: settings.get(TIMEOUT)?,
            max_idle: settings.get(MAX_IDLE)?,
            min_idle: settings.get(MIN_IDLE)?,
            idle_timeout: settings.get("redis.pool.idle_timeout")?,
            max_lifetime: settings.get("redis.pool.max_lifetime")?,
            connect_timeout: settings.get("redis.pool.connect_timeout")?,
            response_timeout: settings.get("redis.pool.response_timeout")?,
            lane_depth: settings.get("redis.pool.lane_depth")?,
            connect_rate: settings.get("redis.pool.connect_rate")?,
            hold_limit: settings.get("redis.pool.hold_limit")?,
        })
    }
}

/// Fills in what follows from the preset and the size, and settles what contradicts them.
///
/// A size that was given comes before the preset: the idle connections follow from it.
pub(super) fn settle(settings: &mut Settings) -> Result<(), SettingsError> {
    let preset = settings.get::<Option<PoolPreset>>(PRESET)?.map(PoolPreset::figures);
    if settings.layer(SIZE)? > Layer::Derived {
        let size: usize = settings.get(SIZE)?;
        settings.derive(MAX_IDLE, &size.div_ceil(2).to_string(), SIZE)?;
    }
    if let Some(figures) = preset {
        settings.derive(SIZE, &figures.size.to_string(), PRESET)?;
        settings.derive(MAX_IDLE, &figures.max_idle.to_string(), PRESET)?;
        settings.derive(TIMEOUT, &format!("{}s", figures.timeout.as_secs()), PRESET)?;
    }
    let size: usize = settings.get(SIZE)?;
    if settings.get::<usize>(MAX_IDLE)? > size {
        let reason = "no more connections can be idle than there are";
        settings.adjust(MAX_IDLE, &size.to_string(), SIZE, reason)?;
    }
    let max_idle: usize = settings.get(MAX_IDLE)?;
    if settings.get::<usize>(MIN_IDLE)? > max_idle {
        let resolved = settings.resolved(MAX_IDLE)?;
        let from = resolved.source().map(|source| format!(" {source}")).unwrap_or_default();
        let place = format!("{}{from}", resolved.layer());
        let expected = format!("at most {max_idle}, which is {MAX_IDLE} ({place})");
        return Err(settings.refuse(MIN_IDLE, expected));
    }
    Ok(())
}
