//! The store keeps the contract on a real server.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use memory_testkit::store::{self, Subject};
use redis_testkit::{Cluster, Sentinels};
use store_redis::RedisStore;
use support::{builder, pool_of, server, store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_server() {
    let server = server().await;
    let own = store(&server).await;
    store::all(async || Subject::new(own.clone())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_time_to_live_and_a_prefix_of_signs() {
    let server = server().await;
    let builder = builder(&server).await.prefix("a*[b]?\\ \n:");
    let builder = builder.time_to_live(Some(Duration::from_hours(24)));
    let own = Arc::new(builder.connect().await.unwrap());
    store::all(async || Subject::new(own.clone())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_sentinel() {
    let sentinels = Sentinels::builder().start().await.unwrap();
    let nodes: Vec<_> = sentinels.addresses().iter().map(ToString::to_string).collect();
    let (nodes, service) = (nodes.join(","), sentinels.service());
    let variables = [("REDIS_SENTINEL_NODES", nodes.as_str()), ("REDIS_SENTINEL_SERVICE", service)];
    let builder = RedisStore::builder(pool_of(&variables).await);
    let own = Arc::new(builder.connect().await.unwrap());
    store::all(async || Subject::new(own.clone())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_cluster() {
    let cluster = Cluster::builder().start().await.unwrap();
    let nodes: Vec<_> = cluster.addresses().iter().map(ToString::to_string).collect();
    let nodes = nodes.join(",");
    let builder = RedisStore::builder(pool_of(&[("REDIS_CLUSTER_SEEDS", &nodes)]).await);
    let own = Arc::new(builder.connect().await.unwrap());
    store::all(async || Subject::new(own.clone())).await.unwrap();
}
