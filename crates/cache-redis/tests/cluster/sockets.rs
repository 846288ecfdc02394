//! The nodes together never see more sockets than the size says.

use std::time::Duration;

use cache_redis::{RedisPool, RedisSettings};
use redis_testkit::Cluster;

use crate::support::{Load, cluster, pool, settings, sockets, within};

/// Lanes of few commands, so that load asks for as many as there may be.
fn small(cluster: &Cluster, size: usize) -> RedisSettings {
    let mut settings = settings(cluster, size);
    settings.pool.lane_depth = 2;
    settings
}

async fn check_sockets(cluster: &Cluster, most: usize) {
    for _ in 0..5 {
        let sockets = sockets(cluster).await;
        assert!(sockets <= most, "{sockets} sockets");
    }
}

/// Waits until as many lanes are open as there is room for.
async fn all_lanes(pool: &RedisPool, lanes: usize) {
    within(async {
        while pool.status().lanes < lanes {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lanes_are_opened_as_far_as_they_have_room_and_closed_when_idle() {
    let cluster = cluster().await;
    let mut settings = small(&cluster, 8);
    settings.pool.idle_timeout = Duration::from_millis(1);
    let pool = pool(settings).await;
    let load = Load::start(&pool, 40);
    // Two lanes to three masters; a third one would need nine sockets.
    all_lanes(&pool, 2).await;
    load.goes_on(500).await;
    assert_eq!(pool.status().lanes, 2);
    check_sockets(&cluster, 6).await;
    load.end().await;
    within(async {
        while pool.status().idle > 0 || sockets(&cluster).await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(pool.snapshot().exhausted, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_bound_holds_through_kills_fail_overs_and_moves() {
    let cluster = cluster().await;
    let pool = pool(small(&cluster, 7)).await;
    let load = Load::start(&pool, 40);
    all_lanes(&pool, 2).await;
    for node in cluster.nodes() {
        node.kill_clients().await.unwrap();
        check_sockets(&cluster, 7).await;
    }
    load.goes_on(200).await;
    // A master that is well gives up its place.
    cluster.failover(&cluster.nodes()[0]).await.unwrap();
    check_sockets(&cluster, 7).await;
    load.goes_on(200).await;
    // One is killed, and its replica takes over.
    let (killed, replica) = (&cluster.nodes()[1], &cluster.nodes()[4]);
    killed.kill().unwrap();
    check_sockets(&cluster, 7).await;
    replica.command(&["CLUSTER", "FAILOVER", "TAKEOVER"]).await.unwrap();
    check_sockets(&cluster, 7).await;
    cluster.settled().await.unwrap();
    load.goes_on(200).await;
    killed.restart().await.unwrap();
    check_sockets(&cluster, 7).await;
    load.goes_on(200).await;
    for number in 0..5 {
        let slot = cluster.slot_of(Load::key(number).as_bytes()).await.unwrap();
        let owner = cluster.owner(slot).await.unwrap().port();
        let to = if owner == cluster.nodes()[2].port() { replica } else { &cluster.nodes()[2] };
        cluster.move_slot(slot, to).await.unwrap();
        check_sockets(&cluster, 7).await;
    }
    load.goes_on(200).await;
    load.end().await;
    check_sockets(&cluster, 7).await;
    let status = pool.status();
    assert_eq!((status.active, status.in_flight), (0, 0), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lanes_are_closed_where_the_cluster_has_come_to_have_more_nodes() {
    let cluster = cluster().await;
    let pool = pool(small(&cluster, 7)).await;
    let load = Load::start(&pool, 40);
    all_lanes(&pool, 2).await;
    // A replica becomes a fourth master.
    let (first, new) = (&cluster.nodes()[0], &cluster.nodes()[3]);
    new.command(&["CLUSTER", "RESET", "SOFT"]).await.unwrap();
    let port = first.port().to_string();
    let bus = first.command(&["CONFIG", "GET", "cluster-port"]).await.unwrap();
    let bus = bus.array()[1].text().unwrap().to_owned();
    new.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await.unwrap();
    cluster.settled().await.unwrap();
    for number in 0..5 {
        let slot = cluster.slot_of(Load::key(number).as_bytes()).await.unwrap();
        cluster.move_slot(slot, new).await.unwrap();
    }
    within(async {
        while pool.status().lanes > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    check_sockets(&cluster, 7).await;
    load.goes_on(200).await;
    load.end().await;
    assert_eq!(pool.status().lanes, 1);
    assert_eq!(within(pool.servers()).await.unwrap().len(), 4);
}

#[tokio::test]
async fn idle_ones_are_kept_and_closed_as_the_settings_say() {
    let cluster = cluster().await;
    let mut settings = settings(&cluster, 9);
    settings.pool.min_idle = 4;
    let pool = pool(settings).await;
    // Without any command.
    within(async {
        while pool.status().idle < 4 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(sockets(&cluster).await, 4);
    within(pool.close()).await.unwrap();
    within(async {
        while sockets(&cluster).await > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
