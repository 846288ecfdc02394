//! Real servers with a store on each.

use std::collections::BTreeMap;
use std::sync::Arc;

use cache_redis::{Loader, RedisPool, RedisSettings};
use redis_testkit::RedisServer;
use store_redis::{RedisStore, RedisStoreBuilder};

/// A server without persistence.
pub(crate) async fn server() -> RedisServer {
    RedisServer::builder().start().await.unwrap()
}

/// A pool of connections to a URL.
pub(crate) async fn pool(url: &str) -> RedisPool {
    pool_of(&[("REDIS_URL", url)]).await
}

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

/// A builder of a store on a server.
pub(crate) async fn builder(server: &RedisServer) -> RedisStoreBuilder {
    RedisStore::builder(pool(&server.url()).await)
}

/// A store on a server.
pub(crate) async fn store(server: &RedisServer) -> Arc<RedisStore> {
    Arc::new(builder(server).await.connect().await.unwrap())
}
