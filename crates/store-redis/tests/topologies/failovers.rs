//! Masters that are replaced by replicas under load.

use redis_testkit::RedisServer;

use crate::load::Load;
use crate::servers;

/// What replicas had not got when they took over is lost: that much is told, and nothing asserted
/// of it. All else holds.
#[expect(
    clippy::print_stdout,
    reason = "how many there were is for whoever reads the test's output"
)]
fn tell(what: &str, lost: usize) {
    println!("{what}: {lost} acknowledged messages are lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_go_on_after_sentinels_have_promoted_a_replica() {
    let sentinels = servers::sentinels(RedisServer::builder()).await;
    let stores = servers::open_two(&sentinels).await;
    let load = Load::start(&stores);
    load.all_go_on().await;
    sentinels.failover().await.unwrap();
    load.all_go_on().await;
    sentinels.settled().await.unwrap();
    let killed = sentinels.master().await.unwrap();
    killed.kill().unwrap();
    sentinels.master_after(killed).await.unwrap();
    load.all_go_on().await;
    tell("Sentinel", load.end(&stores[0]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_go_on_after_replicas_of_a_cluster_took_over() {
    let cluster = servers::cluster(RedisServer::builder()).await;
    let stores = servers::open_two(&cluster).await;
    let load = Load::start(&stores);
    load.all_go_on().await;
    for master in &cluster.nodes()[..2] {
        cluster.failover(master).await.unwrap();
        load.all_go_on().await;
    }
    cluster.nodes()[2].kill().unwrap();
    load.all_go_on().await;
    cluster.settled().await.unwrap();
    tell("a cluster", load.end(&stores[0]).await);
}
