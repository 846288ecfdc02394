//! The store keeps the contract on a real server.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod support;

use std::time::Duration;

use memory_testkit::store::{self, Subject};
use support::{builder, server, store};

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
    let own = std::sync::Arc::new(builder.connect().await.unwrap());
    store::all(async || Subject::new(own.clone())).await.unwrap();
}
