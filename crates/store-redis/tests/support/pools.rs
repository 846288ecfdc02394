//! Pools of connections.

use std::collections::BTreeMap;

use cache_redis::{Loader, RedisPool, RedisSettings};

/// A pool with the settings that these variables give.
pub(crate) async fn pool_of(variables: &[(&str, &str)]) -> RedisPool {
    let variables = variables.iter().chain(&[("REDIS_POOL_SIZE", "12")]);
    let variables: BTreeMap<String, String> =
        variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut settings = Loader::new(RedisSettings::schema()).environment(variables).build().unwrap();
    let mut settings = RedisSettings::settle(&mut settings).unwrap();
    settings.pool.connect_rate = 100_000;
    RedisPool::builder(settings).build().await.unwrap()
}
