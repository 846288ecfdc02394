//! Masters that are replaced by replicas under load.

use std::error::Error;
use std::sync::Arc;

use cache_redis::PoolError;
use memory_core::{MemoryStore, Tally};
use memory_testkit::sample;
use redis_testkit::RedisServer;
use store_redis::RedisStore;

use crate::load::{Load, key, within};
use crate::servers::{self, Servers};

/// What replicas had not got when they took over is lost: that much is told, and nothing asserted
/// of it. All else holds.
#[expect(
    clippy::print_stdout,
    reason = "how many there were is for whoever reads the test's output"
)]
fn tell(what: &str, lost: usize) {
    println!("{what}: {lost} acknowledged messages are lost");
}

/// A store whose operations wait no longer than a pool takes to go on once servers are back.
async fn open_impatient(servers: &impl Servers) -> Arc<RedisStore> {
    let builder = servers::builder(servers, &[("REDIS_POOL_TIMEOUT", "2s")]).await;
    Arc::new(builder.connect().await.unwrap())
}

/// Appends on all nodes. What was in flight may fail, but nothing waits in vain.
async fn goes_on_at_once(store: &RedisStore) {
    let counter = sample::counter("words");
    for number in 100..120 {
        within(async {
            loop {
                let message = sample::user("hello", Tally::exact(5));
                let appended = store.append(&key(number), sample::batch(&counter, [message])).await;
                let Err(error) = appended else { return };
                let cause = error.source().and_then(|source| source.downcast_ref());
                assert!(!matches!(cause, Some(PoolError::WaitTimedOut(_))), "{error:?}");
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_go_on_after_sentinels_have_promoted_a_replica() {
    let sentinels = servers::sentinels(RedisServer::builder()).await;
    let stores = servers::open_two(&sentinels).await;
    let impatient = open_impatient(&sentinels).await;
    let load = Load::start(&stores);
    load.all_go_on().await;
    sentinels.failover().await.unwrap();
    load.all_go_on().await;
    sentinels.settled().await.unwrap();
    let killed = sentinels.master().await.unwrap();
    killed.kill().unwrap();
    sentinels.master_after(killed).await.unwrap();
    goes_on_at_once(&impatient).await;
    load.all_go_on().await;
    tell("Sentinel", load.end(&stores[0]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_go_on_after_replicas_of_a_cluster_took_over() {
    let cluster = servers::cluster(RedisServer::builder()).await;
    let stores = servers::open_two(&cluster).await;
    let impatient = open_impatient(&cluster).await;
    let load = Load::start(&stores);
    load.all_go_on().await;
    for master in &cluster.nodes()[..2] {
        cluster.failover(master).await.unwrap();
        load.all_go_on().await;
    }
    cluster.nodes()[2].kill().unwrap();
    load.all_go_on().await;
    cluster.settled().await.unwrap();
    goes_on_at_once(&impatient).await;
    tell("a cluster", load.end(&stores[0]).await);
}
