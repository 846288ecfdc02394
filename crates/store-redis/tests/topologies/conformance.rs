//! The store keeps the contract on real servers, as a user with the documented rights.

use std::sync::Arc;
use std::time::Duration;

use memory_testkit::store::{self, Subject};
use redis_testkit::{RedisServer, ServerBuilder};
use store_redis::RedisStoreBuilder;

use crate::servers;

/// What the store's documentation names as the smallest access list, without the user's name.
fn rights(more: &str) -> String {
    let docs = include_str!("../../../../docs/redis-store.md");
    let line = docs.lines().find(|line| line.starts_with("user app on >PASSWORD ")).unwrap();
    format!("{} {more}", line.trim_start_matches("user app on >PASSWORD "))
}

/// A server with a user who may do what is documented, and more where that is asked for.
fn with_rights(more: &str) -> ServerBuilder {
    RedisServer::builder().password("other").user("app", "secret", &rights(more))
}

const APP: [(&str, &str); 2] = [("REDIS_USER", "app"), ("REDIS_PASSWORD", "secret")];

async fn check(builder: RedisStoreBuilder) {
    let own = Arc::new(builder.connect().await.unwrap());
    store::all(async || Subject::new(own.clone())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_server() {
    let server = servers::one().await;
    check(servers::builder(&server, &[]).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_time_to_live_and_a_prefix_of_signs() {
    let server = servers::one().await;
    let builder = servers::builder(&server, &[]).await.prefix("a*[b]?\\ \n:");
    check(builder.time_to_live(Some(Duration::from_hours(24)))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_server_with_the_documented_rights() {
    let server = with_rights("").start().await.unwrap();
    check(servers::builder(&server, &APP).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_another_database_with_the_documented_rights() {
    let server = with_rights("+select").start().await.unwrap();
    check(servers::builder(&server, &[APP[0], APP[1], ("REDIS_DB", "3")]).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_sentinel_with_the_documented_rights() {
    let sentinels = servers::sentinels(with_rights("+select +role")).await;
    check(servers::builder(&sentinels, &[APP[0], APP[1], ("REDIS_DB", "3")]).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_cluster_with_the_documented_rights() {
    let cluster = servers::cluster(with_rights("+cluster|slots +asking")).await;
    check(servers::builder(&cluster, &APP).await).await;
}
