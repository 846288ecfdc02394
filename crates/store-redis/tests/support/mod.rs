//! Real servers with a store on each.

mod pools;

use std::sync::Arc;

use cache_redis::RedisPool;
use redis_testkit::RedisServer;
use store_redis::{RedisStore, RedisStoreBuilder};

use pools::pool_of;

/// A server without persistence.
pub(crate) async fn server() -> RedisServer {
    RedisServer::builder().start().await.unwrap()
}

/// A pool of connections to a URL.
pub(crate) async fn pool(url: &str) -> RedisPool {
    pool_of(&[("REDIS_URL", url)]).await
}

/// A builder of a store on a server.
pub(crate) async fn builder(server: &RedisServer) -> RedisStoreBuilder {
    RedisStore::builder(pool(&server.url()).await)
}

/// A store on a server.
pub(crate) async fn store(server: &RedisServer) -> Arc<RedisStore> {
    Arc::new(builder(server).await.connect().await.unwrap())
}
