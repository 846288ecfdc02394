//! The section as typed values.

use layered_settings::{Loader, Schema, Settings, SettingsError, Url};

use super::address::{self, Address};
use super::credentials::Credentials;
use super::pool::{self, PoolSettings};
use super::schema;
use super::tls::{self, TlsSettings};
use super::topology::Topology;

/// The section `[redis]`: what is in it has been checked, each value and all of them together.
///
/// # Examples
///
/// Parts take the place of the URL, and what they leave open is filled in:
///
/// ```
/// use cache_redis::{Loader, RedisSettings};
///
/// let mut settings = Loader::new(RedisSettings::schema())
///     .explicit("redis.sentinel.service", "main")
///     .explicit("redis.sentinel.nodes", "one,two:26380")
///     .explicit("redis.pool.preset", "burst")
///     .build()?;
/// let redis = RedisSettings::settle(&mut settings)?;
/// assert_eq!((redis.pool.size, redis.pool.max_idle), (500, 100));
/// assert_eq!(settings.resolved("redis.pool.size")?.source(), Some("redis.pool.preset"));
/// # Ok::<_, cache_redis::SettingsError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisSettings {
    /// Where the servers are.
    pub topology: Topology,
    /// The number of the database, 0 on a cluster.
    pub database: u32,
    /// What the servers are logged in to with.
    pub credentials: Option<Credentials>,
    /// How connections are encrypted; none where they are not.
    pub tls: Option<TlsSettings>,
    /// The bounds of the pool.
    pub pool: PoolSettings,
}

impl RedisSettings {
    /// The declarations of the section, to load it with or to merge into a program's own.
    ///
    /// # Examples
    ///
    /// ```
    /// let schema = cache_redis::RedisSettings::schema();
    /// let size = schema.get("redis.pool.size").unwrap();
    /// assert_eq!(size.default_text().as_deref(), Some("100"));
    /// assert_eq!(size.variables(), ["REDIS_POOL_SIZE"]);
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "the declarations do not depend on any input")]
    pub fn schema() -> Schema {
        schema::schema().expect("the declarations agree with each other, as a test sees")
    }

    /// Settles what depends on other values, and reads the section.
    ///
    /// Afterwards the loaded settings say what holds: what follows from another value has the layer
    /// `derived`, and what was corrected has left a warning. Doing it again changes nothing.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for values that contradict each other and cannot be corrected, with key,
    /// value and source, and for settings that lack the section.
    pub fn settle(settings: &mut Settings) -> Result<Self, SettingsError> {
        pool::settle(settings)?;
        address::settle(settings)?;
        let Address { topology, database, credentials, tls } = address::read(settings)?;
        let tls = tls::read(settings, tls)?;
        Ok(Self { topology, database, credentials, tls, pool: PoolSettings::read(settings)? })
    }

    /// Reads the section with another address, as if `redis.url` were given on top of all layers;
    /// none where the text is not the URL of a server, of sentinels or of a cluster.
    ///
    /// # Errors
    ///
    /// As for [`settle`](Self::settle).
    ///
    /// # Examples
    ///
    /// ```
    /// use cache_redis::{Loader, RedisSettings, Topology, Url};
    ///
    /// let settings = Loader::new(RedisSettings::schema())
    ///     .explicit("redis.pool.size", "25")
    ///     .build()?;
    /// let url = Url::parse("redis-sentinel://one,two:26380/main").unwrap();
    /// let redis = RedisSettings::at(&url, &settings)?.unwrap();
    /// assert!(matches!(redis.topology, Topology::Sentinel { .. }));
    /// assert_eq!(redis.pool.size, 25);
    /// # Ok::<_, cache_redis::SettingsError>(())
    /// ```
    pub fn at(url: &Url, settings: &Settings) -> Result<Option<Self>, SettingsError> {
        let mut settings = settings.clone();
        pool::settle(&mut settings)?;
        let Some(Address { topology, database, credentials, tls }) = address::at(url, &settings)?
        else {
            return Ok(None);
        };
        let tls = tls::read(&settings, tls)?;
        let pool = PoolSettings::read(&settings)?;
        Ok(Some(Self { topology, database, credentials, tls, pool }))
    }

    /// Reads the section of settings that need not be settled, and leaves them as they are.
    ///
    /// # Errors
    ///
    /// As for [`settle`](Self::settle).
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingsError> {
        Self::settle(&mut settings.clone())
    }
}

impl Default for RedisSettings {
    /// The defaults of [`schema`](Self::schema): a server on this machine, and 100 connections.
    fn default() -> Self {
        Loader::new(Self::schema())
            .build()
            .and_then(|mut settings| Self::settle(&mut settings))
            .expect("the defaults agree with each other, as a test sees")
    }
}
