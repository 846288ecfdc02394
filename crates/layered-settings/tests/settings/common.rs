//! What the tests share: a schema like that of a real program.

use std::collections::BTreeMap;
use std::time::Duration;

use layered_settings::{Schema, Setting};

/// A schema with one setting of each kind.
pub(crate) fn schema() -> Schema {
    let second = Duration::from_secs(1);
    Schema::new([
        Setting::choice("counter.encoding", &["o200k_base", "cl100k_base"])
            .default_value("o200k_base")
            .describe("vocabulary that tokens are counted with"),
        Setting::text("counter.label"),
        Setting::path("store.path").default_value("a b/x.redb"),
        Setting::boolean("store.read_only").default_value("false"),
        Setting::size("store.cache", 1..).default_value("64MiB"),
        Setting::duration("sweep.interval", second..).default_value("1m30s"),
        Setting::url("redis.url").default_value("redis://127.0.0.1:6379/0").variable("REDIS_URL"),
        Setting::text("redis.host").variable("REDIS_HOST"),
        Setting::integer("redis.port", 1..=65535).variable("REDIS_PORT"),
        Setting::secret("redis.password").variable("REDIS_PASSWORD"),
        Setting::integer("redis.pool.size", 1..).default_value("100").variable("REDIS_POOL_SIZE"),
        Setting::integer("redis.pool.max_idle", 0..).default_value("50"),
        Setting::duration("redis.pool.max_lifetime", second..).or_off().default_value("off"),
    ])
    .unwrap()
    .alternatives(&["redis.url"], &["redis.host", "redis.port"])
    .unwrap()
}

/// An environment with these variables.
pub(crate) fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
